"""This module knows by their words which troubles of a registry, an origin or a service pass. Pure.

The words are those of the Go tools (buildx, cosign), of git, and of what answers them.
"""

from __future__ import annotations

_STATUS = (
    r"(?<![\w./@#-])(?<![\w\]]:)(?:429|500|502|503|504)(?!\.?\w|[/@-])|"
    r"\b(?:status|code|error|HTTP)[=:]\s?(?:429|500|502|503|504)\b"
)
"""Matches a status that is none of a version, a tag or a port."""
_TIMEOUT = (
    r"Client\.Timeout|timeout awaiting response headers|i/o timeout|TLS handshake timeout|"
    r"deadline exceeded|DeadlineExceeded|connection timed out|operation timed out|gateway time-?out"
)
_CONNECTION = (
    r"connection (?:refused|reset)|reset by peer|broken pipe|no route to host|"
    r"network is unreachable|client connection lost|server closed idle connection|GOAWAY|"
    r"stream error: stream ID|not closed cleanly|"
    r'\b(?:Get|Head|Post|Put|Patch|Delete) "?[^\s"]+"?: EOF\b'
)
_END = (
    r"^(?!.*(?<![.\w])(?:proto|json|yaml|toml|asn1|xml):).*unexpected EOF|early EOF|"
    r"hung up unexpectedly|unexpected disconnect|non-properly terminated"
)
"""Matches an answer that broke off; a file that cannot be parsed ends too early for good."""
_BUSY = (
    r"too many requests|toomanyrequests|service unavailable|bad gateway|temporary failure|"
    r"server misbehaving|code = (?:Unavailable|ResourceExhausted)"
)
PASSING_WORDS = "|".join((_STATUS, _TIMEOUT, _CONNECTION, _END, _BUSY))
"""Matches what passes, without flags, for patterns of which it is a part."""
PASSING = f"(?im){PASSING_WORDS}"
"""Matches troubles that pass; a longer pattern may follow behind a bar."""

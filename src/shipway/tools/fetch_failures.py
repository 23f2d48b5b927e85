"""This module knows the words of programs in a Dockerfile whose fetch found no network. Pure.

What a server answered (404, 403), a certificate that is not trusted, and a package that nobody has
are no such words: trying again would not help. Neither is whatever a step asks of its own machine.
"""

from __future__ import annotations

_ELSEWHERE = r"(?!\S*?(?:localhost|127\.\d|::1))"
"""Holds where the address that follows is not of the machine itself."""
_LIBRARIES = (
    # The C library's resolver and sockets: what apt, pip, uv, git, ssh and curl print of them.
    r"temporary failure (?:in name resolution|resolving)",
    r"name or service not known",
    r"network (?:is )?unreachable",
    r"no route to host",
    r"connection (?:reset|timed out)",
    r"connection failed \[IP: ",
    # Go's, in `go`, BuildKit and other programs.
    rf"(?:dial|read|write) (?:tcp|udp) {_ELSEWHERE}.*(?:i/o timeout|no such host|"
    r"server misbehaving|connection refused)",
    rf"dial (?:tcp|udp): lookup {_ELSEWHERE}",
    r"TLS handshake timeout",
    r"Client\.Timeout exceeded",
)
_PROGRAMS = (
    # apt
    r"unable to connect to \S+:http",
    r"failed to fetch \S+ .*(?:could not resolve|could not connect|error reading from server)",
    # pip
    r"failed to establish a new connection",
    r"read timed out",
    r"remote end closed connection",
    # uv, cargo
    r"dns error: ",
    r"tcp connect error: ",
    r"operation timed out",
    r"network timeout",
    r"connection closed before message completed",
    r"spurious network error",
    # npm, yarn, pnpm
    r"\b(?:EAI_AGAIN|ENOTFOUND|ETIMEDOUT|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b",
    rf"\bECONNREFUSED {_ELSEWHERE}",
    # apk, and wget of BusyBox
    r"temporary error \(try again later\)",
    r"DNS(?: lookup error|: transient error)",
    r"network (?:error \(check|connection aborted)",
    r"could not connect to server \(check repositories file\)",
    r"wget: (?:bad address|download timed out|can't connect to remote host)",
    # curl, and dnf: resolver, connection, time-out, reset, empty or broken answer
    r"curl(?: error)?:? \((?:5|6|18|28|35|52|55|56|92)\)",
    r"curl error \(7\)",
    r"could not resolve (?:host|proxy)",
    rf"failed to connect to {_ELSEWHERE}\S+ port",
    # git
    r"unexpected disconnect while reading sideband packet",
    r"RPC failed; curl (?:18|28|52|55|56|92) ",
)
_WORDS = "|".join((*_LIBRARIES, *_PROGRAMS))
NO_NETWORK = f"(?i){_WORDS}"
"""Matches a line of any of these programs that says so."""

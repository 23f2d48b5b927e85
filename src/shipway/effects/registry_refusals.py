"""Reads how a registry refuses: its own words, and whether it does not delete at all.

Source: OCI distribution specification 1.1, "Error Codes" and "Deleting Manifests": where deletion
is disabled the answer is 400 or 405, and the code of the error `UNSUPPORTED`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from shipway.image.documents import printable

if TYPE_CHECKING:
    from requests import Response

_LARGEST_ANSWER = 64 * 1024
"""Bytes that are read of a refusal, or of a token's document; some answer with a whole page."""
_LONGEST_QUOTE = 300
_METHOD_NOT_ALLOWED = 405
_TOO_MANY_REQUESTS = 429
_UNSUPPORTED = "UNSUPPORTED"
_WAYS = {
    "docker.io": "Docker Hub deletes tags on its web page and with its own API "
    "(`DELETE https://hub.docker.com/v2/namespaces/OWNER/repositories/NAME/tags/TAG`)",
    "amazonaws.com": "ECR deletes with `aws ecr batch-delete-image`, or by a lifecycle policy",
    "public.ecr.aws": "ECR deletes with `aws ecr-public batch-delete-image`",
}
"""Says by the domain of a registry how images are deleted there."""
_OTHER_WAY = (
    "let the registry delete (distribution: `REGISTRY_STORAGE_DELETE_ENABLED=true`), or delete "
    "where it is kept, by its own rules"
)


class _Fault(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Refusal(msgspec.Struct, frozen=True):
    errors: tuple[_Fault, ...] = ()


def is_busy(status: int) -> bool:
    """Tell whether a status says that the same question may be answered in a moment."""
    return status == _TOO_MANY_REQUESTS or status >= 500


def read_beginning(response: Response) -> str:
    """Read the beginning of an answer; empty where the server breaks off."""
    # Imported by who made the response.
    from urllib3.exceptions import HTTPError

    words = b""
    with suppress(HTTPError, OSError):
        words = response.raw.read(_LARGEST_ANSWER, decode_content=True)
    return words.decode(errors="replace")


def quote_refusal(text: str) -> str:
    """Give what a registry says of a refusal, fit to be shown; empty where it says nothing.

    A page for people says nothing.
    """
    parts: list[str] = []
    for fault in _read_faults(text):
        words = filter(None, (fault.code, fault.message))
        part = ": ".join(words)
        parts.append(part)
    quote = "; ".join(parts)
    plain_text = text.strip()
    is_page = plain_text.startswith("<")
    if not parts and not is_page:
        quote = plain_text
    shown = printable(quote)
    return shown[:_LONGEST_QUOTE]


def _read_faults(text: str) -> tuple[_Fault, ...]:
    try:
        return msgspec.json.decode(text, type=_Refusal).errors
    except (ValueError, RecursionError):
        return ()


def is_unsupported(status: int, text: str) -> bool:
    """Tell whether a registry that refuses a deletion so refuses every other one, too."""
    if status == _METHOD_NOT_ALLOWED:
        return True
    codes = [fault.code.upper() for fault in _read_faults(text)]
    return _UNSUPPORTED in codes


def find_other_way(host: str) -> str:
    """Say how images are deleted that the registry at ``host`` does not delete when asked to."""
    for domain, way in _WAYS.items():
        is_subdomain = host.endswith(f".{domain}")
        if host == domain or is_subdomain:
            return way
    return _OTHER_WAY

"""The address of a repository says where a project lives."""

from __future__ import annotations

import re

GITHUB = "https://github.com"
_REMOTE = re.compile(
    r"(?:https?://|ssh://)(?:[^@/]*@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>[^/]+/[^/]+?)(?:\.git)?/?"
    r"|(?:[^@/]+@)?(?P<scp>[^/:@]+):(?P<scp_path>[^/]+/[^/]+?)(?:\.git)?/?"
)


def parse_remote(url: str) -> tuple[str, str] | None:
    """Read (``https://host``, ``owner/name``) from a remote's address.

    Gives ``None`` for a folder or anything else. Logins in the address are dropped: they must not
    be shown.
    """
    match = _REMOTE.fullmatch(url)
    if match is None or url.startswith("file:"):
        return None
    host = match["host"] or match["scp"]
    path = match["path"] or match["scp_path"]
    address = f"https://{host}"
    return address, path

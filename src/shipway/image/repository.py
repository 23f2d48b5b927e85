"""Where a project lives: the address of a repository, read. Pure."""

from __future__ import annotations

import re

GITHUB = "https://github.com"
_REMOTE = re.compile(
    r"(?:https?://|ssh://)(?:[^@/]*@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>[^/]+/[^/]+?)(?:\.git)?/?"
    r"|(?:[^@/]+@)?(?P<scp>[^/:@]+):(?P<scp_path>[^/]+/[^/]+?)(?:\.git)?/?"
)


def parse_remote(url: str) -> tuple[str, str] | None:
    """(``https://host``, ``owner/name``) of a remote's address, ``None`` for a folder or anything else.

    Logins in the address are dropped: they must not be shown.
    """
    found = _REMOTE.fullmatch(url)
    if found is None or url.startswith("file:"):
        return None
    return f"https://{found['host'] or found['scp']}", found["path"] or found["scp_path"]

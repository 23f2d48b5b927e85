"""The points of a release and the faults that hit them; where a fault cannot hit, why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

FAULTS: Mapping[str, str] = {
    "503": "503 a few times",
    "429": "429 with Retry-After",
    "hang": "hang",
    "reset": "reset before the write",
    "lost": "write done, answer lost",
    "403": "403 that tells a limit",
    "401": "401",
    "kill-before": "SIGKILL before",
    "kill-after": "SIGKILL after",
    "second": "a second release at the same moment",
    "other": "somebody else meanwhile",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One request of a point. ``line`` matches "METHOD /path client"; programs announce themselves as `/point/…`.

    ``again``: it is met when a finished release is run again, where only questions are asked.
    ``act``: what somebody else does at this moment; it belongs to the fault `other` alone.
    """

    name: str
    line: str
    again: bool = False
    act: str = ""

    def fits(self, line: str) -> bool:
        """Whether a request is this one."""
        return bool(re.match(self.line, line))


_IMAGE = "/v2/acme/app"
_RELEASES = "/api/v3/repos/acme/app/releases"
POINTS: Mapping[str, tuple[Moment, ...]] = {
    "version": (Moment("the tags of the origin", "POST /point/version"),),
    "base pull": (Moment("the base image", "GET /v2/library/base/"),),
    "blob push": (Moment("a layer", f"PUT {_IMAGE}/blobs/.* buildx"),),
    "index push": (
        Moment("the staging tag", f"PUT {_IMAGE}/manifests/sha-"),
        Moment(
            "all tags, asked for again",
            f"(GET|HEAD) {_IMAGE}/manifests/(sha-|v|latest)",
            again=True,
        ),
    ),
    "token": (Moment("the token", "GET /token"),),
    "certificate": (Moment("the certificate", "POST /api/v./signingCert"),),
    "timestamp or log": (Moment("the timestamp", "POST /api/v1/timestamp"),),
    "signature push": (
        Moment("the first signature", f"PUT {_IMAGE}/manifests/sha256.* cosign"),
        Moment(
            "the signatures, asked for again",
            f"(GET|HEAD) {_IMAGE}/(manifests|referrers)/sha256.* cosign",
            again=True,
        ),
    ),
    "git push": (Moment("commit and tag", "POST /point/push"),),
    "tag promotion": (
        Moment("the version's tag", f"PUT {_IMAGE}/manifests/v0"),
        Moment("latest", f"PUT {_IMAGE}/manifests/latest"),
    ),
    "release": (
        Moment("the draft", f"POST {_RELEASES} "),
        Moment("the asset", f"POST {_RELEASES}/.*/assets"),
        Moment("the publication", f"PATCH {_RELEASES}/"),
        Moment("the release, asked for again", f"GET {_RELEASES}", again=True),
        Moment("a draft that somebody made", rf"GET {_RELEASES}\?", act="draft"),
        Moment("an older run that ends late", f"POST {_RELEASES} ", act="newer"),
    ),
    "docs": (
        Moment("the docs branch", "POST /point/docs"),
        Moment("a docs branch that moved", "POST /point/docs", act="pages"),
        Moment("an older run that ends late", "POST /point/docs", act="newer"),
    ),
}
_READS = ("version", "base pull", "token")
_ONLY_WRITES = ("lost", "kill-before", "kill-after", "second")


def exempt(point: str, fault: str) -> str:
    """The reason why a fault cannot hit a point, empty when it can."""
    if fault == "lost" and point in _READS:
        return "it asks and writes nothing: an answer that is lost is the reset"
    if fault == "403" and point != "release":
        return "only GitHub's API tells a limit with 403"
    if fault == "other" and not moments(point, fault):
        return "nobody else writes there, but a second release"
    return ""


def moments(point: str, fault: str) -> tuple[Moment, ...]:
    """The requests of a point that a fault hits, each in a run of its own. One that only asks is no write to lose."""
    return tuple(
        one
        for one in POINTS[point]
        if bool(one.act) == (fault == "other") and not (one.again and fault in _ONLY_WRITES)
    )

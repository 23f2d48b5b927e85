"""A hundred thousand names of branches, pull requests and versions: valid tags, none of them another's."""

from __future__ import annotations

import random
import re

from shipway.target.context import Facts, detect
from shipway.target.tags import plan_tags

NUMBER = 100_000
GRAMMAR = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
"""OCI distribution specification, "Pulling manifests"."""
RESERVED = re.compile(r"latest|edge|v?\d+(\.\d+)*([-+._].*)?|sha-.*|sha256-.*|pr-.*", re.IGNORECASE)
WORDS = (
    "feature",
    "fix",
    "main",
    "latest",
    "edge",
    "v1.2.3",
    "1.2",
    "sha-0000000",
    "pr-1",
    "ветка",
    "🚀",
    "--output=x",
    "$(id)",
    "`id`",
    "a b",
    "-",
    ".",
    "..",
    "_",
    "X",
    "x" * 130,
    "topic-0123abcd",
    "é",
    "\u0301",
    "%2f",
)


def branches() -> list[str]:
    """Different names, many of them alike."""
    chance = random.Random(20260101)
    found: set[str] = set()
    while len(found) < NUMBER:
        found.add(
            "".join(
                chance.choice(WORDS) + chance.choice("/-._ #@") for _ in range(chance.randint(1, 6))
            )
            + chance.choice(("", "", str(chance.randrange(1000))))
        )
    return sorted(found)


def test_a_hundred_thousand_branches() -> None:
    owners: dict[str, str] = {}
    for branch in branches():
        environment = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REF": f"refs/heads/{branch}",
            "GITHUB_SHA": "a1b2c3d" * 5,
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REPOSITORY": "acme/toy",
        }
        tag, staging = plan_tags(detect(Facts(environment=environment))).names
        assert GRAMMAR.fullmatch(tag) and staging == "sha-a1b2c3d", branch
        assert not RESERVED.fullmatch(tag), (branch, tag)
        assert owners.setdefault(tag, branch) == branch, (owners[tag], branch, tag)
    assert len(owners) == NUMBER

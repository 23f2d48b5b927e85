"""What may go from a registry, and that nothing of what stays goes with it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipway.image.retention import DAY, Rules, Stored, plan_prune

NOW = 1_800_000_000
RULES = Rules(now=NOW, days=30, branches=frozenset({"main", "topic"}), always=frozenset({"main"}))
OLD, NEW = NOW - 31 * DAY, NOW - DAY


def gone(*stored: Stored) -> dict[str, str]:
    """Reason by digest."""
    return {one.digest: reason for one, reason in plan_prune(stored, RULES)}


@pytest.mark.parametrize(
    ("tags", "created", "reason"),
    [
        (("pr-1",), OLD, "older than 30 days"),
        (("pr-1",), NEW, ""),
        (("pr-1",), None, ""),
        (("sha-a1b2c3d",), OLD, "older than 30 days"),
        (("sha-a1b2c3d-linux-arm64",), OLD, "older than 30 days"),
        (("topic",), OLD, "older than 30 days"),
        (("topic",), NEW, ""),
        (("merged",), NEW, "its branch is gone"),
        (("merged",), None, "its branch is gone"),
        (("main",), OLD, ""),
        (("v1.2.3",), OLD, ""),
        (("v1.3.0-rc.1",), OLD, ""),
        (("v1",), OLD, ""),
        (("latest",), OLD, ""),
        (("edge",), OLD, ""),
        (("cache",), OLD, ""),
        (("cache-linux-arm64",), OLD, ""),
        (("merged", "sha-a1b2c3d"), OLD, "its branch is gone; older than 30 days"),
        (("merged", "sha-a1b2c3d"), NEW, ""),
        (("sha-a1b2c3d", "v1.2.3"), OLD, ""),
    ],
)
def test_which_images_may_go(tags: tuple[str, ...], created: int | None, reason: str) -> None:
    found = gone(Stored(digest="sha256:1", tags=tags, created=created))
    assert found == ({"sha256:1": reason} if reason else {})


def hexadecimal(letter: str) -> str:
    """A digest of one letter."""
    return f"sha256:{letter * 64}"


def test_what_belongs_to_an_image_goes_with_it_and_after_it() -> None:
    a, b, c, d = (hexadecimal(letter) for letter in "abcd")
    found = gone(
        Stored(digest=a, tags=("pr-1",), created=OLD, below=(b,)),
        Stored(digest=b),
        Stored(digest=c, tags=(f"sha256-{'b' * 64}.sig",)),
        Stored(digest=d, subject=a),
    )
    assert list(found) == [a, b, c, d]
    assert found[b] == f"belongs to {a[:19]}"


def test_what_leads_to_a_manifest_goes_before_it_whatever_the_order_of_the_images() -> None:
    a, b, c, d = (hexadecimal(letter) for letter in "abcd")
    inner = Stored(digest=a, tags=("pr-1",), created=OLD, below=(c,))
    outer = Stored(digest=b, tags=("pr-2",), created=OLD, below=(a, d))
    for images in ((inner, outer), (outer, inner)):
        order = list(gone(*images, Stored(digest=c), Stored(digest=d, below=(c,))))
        assert order.index(b) < order.index(a) < order.index(c)
        assert order.index(b) < order.index(d) < order.index(c)


def test_nothing_of_what_stays_goes() -> None:
    a, b, c, d = (hexadecimal(letter) for letter in "abcd")
    found = gone(
        Stored(digest=a, tags=("pr-1",), created=OLD, below=(b,)),
        Stored(digest=b),
        Stored(digest=c, tags=("v1.2.3",), created=OLD, below=(b,)),
        Stored(digest=d, tags=(f"sha256-{'b' * 64}",)),
    )
    assert list(found) == [a]


def test_a_large_registry_is_planned_at_once() -> None:
    stored: list[Stored] = []
    for number in range(1500):
        image, platform, signature = (f"sha256:{number:062x}{part:02x}" for part in range(3))
        stored += [
            Stored(digest=image, tags=(f"pr-{number}",), created=OLD, below=(platform,)),
            Stored(digest=platform),
            Stored(digest=signature, subject=image),
        ]
    begin = time.process_time()
    assert len(gone(*stored)) == len(stored)
    # A walk over all of them for each image takes several seconds.
    assert time.process_time() - begin < 1


LETTERS = st.sampled_from("abcdef")
IMAGES = st.builds(
    lambda letter, tags, below, subject, created: Stored(
        digest=hexadecimal(letter),
        tags=tuple(tags),
        below=tuple(hexadecimal(one) for one in below),
        subject=hexadecimal(subject) if subject else "",
        created=created,
    ),
    LETTERS,
    st.lists(
        st.sampled_from(["v1.0.0", "pr-1", "gone", "sha-0000000", f"sha256-{'a' * 64}.sig"]),
        max_size=2,
    ),
    st.lists(LETTERS, max_size=2),
    st.sampled_from(["", "a", "b"]),
    st.sampled_from([OLD, NEW, None]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(IMAGES, max_size=6, unique_by=lambda one: one.digest))
def test_a_release_keeps_everything_that_belongs_to_it(stored: list[Stored]) -> None:
    doomed = {one.digest for one, _ in plan_prune(stored, RULES)}
    known = {one.digest: one for one in stored}
    kept = [
        one
        for one in stored
        if "v1.0.0" in one.tags and not any("sha256-" in tag for tag in one.tags)
    ]
    while kept:
        one = kept.pop()
        assert one.digest not in doomed
        kept += [known.pop(digest) for digest in one.below if digest in known]
        kept += [
            known.pop(other.digest)
            for other in list(known.values())
            if other.subject == one.digest or f"sha256-{one.digest[7:]}.sig" in other.tags
        ]

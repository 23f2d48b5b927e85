"""What has to hold, after a disturbed run and after the next one. Each complaint is a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from shipway.model.version import parse_version
from tests.faults.people import View
from tests.faults.world import Run

NEW, TAG = "0.2.0", "v0.2.0"
"""The release that is due."""
NEWER, NEWER_TAG = "0.2.1", "v0.2.1"
"""The one that overtakes it."""
_PUBLIC = re.compile(r"latest|v\d.*")
STAGES = {
    "version": "version",
    "base pull": "build",
    "blob push": "build",
    "index push": "build",
    "token": "sign",
    "certificate": "sign",
    "timestamp or log": "sign",
    "signature push": "sign",
    "git push": "commit",
    "tag promotion": "promote",
    "release": "publish",
    "docs": "document",
}
"""Where a fault of a point shows. ``again`` shows wherever a finished release asks."""


def check_view(before: View, now: View, verifies: Callable[[str], bool]) -> Iterator[str]:
    """What people may never see, at any moment."""
    public = {tag: digest for tag, digest in now.tags.items() if _PUBLIC.fullmatch(tag)}
    good = {digest: verifies(digest) for digest in {*public.values(), *_staged(before, now)}}
    yield from (
        f"{tag} is at an unverified digest" for tag, digest in public.items() if not good[digest]
    )
    yield from (
        f"{tag} changed its digest"
        for tag, digest in before.tags.items()
        if tag.startswith("v") and now.tags.get(tag) != digest
    )
    old, new = before.versions["latest"], now.versions.get("latest", "")
    if new != old and not _is_higher(new, old):
        yield f"latest went from {old} to {new or 'nothing'}"
    yield from _check_origin(before, now, good)
    for tag, draft, digest in now.releases:
        if not draft and (tag not in now.refs or not digest or now.tags.get(tag) != digest):
            yield f"the release {tag} shows without its tag or its image"
    titles = [title for title, _ in now.docs.values()]
    if NEW in titles and (TAG not in now.refs or TAG not in now.tags):
        yield "the docs show a version without its tag or its image"


def _is_higher(new: str, old: str) -> bool:
    """Whether both are stable versions, and the first is above the second."""
    version, other = parse_version(new), parse_version(old)
    if version is None or other is None:
        return False
    return version.is_stable and other.is_stable and version.is_above(other)


def _staged(before: View, now: View) -> list[str]:
    return [
        digest
        for tag, digest in now.tags.items()
        if tag.startswith("sha-") and tag not in before.tags
    ]


def _check_origin(before: View, now: View, good: dict[str, bool]) -> Iterator[str]:
    tag, head = now.refs.get(TAG), now.refs["main"]
    if (tag is not None) != (head != before.refs["main"]) and before.refs.get(TAG) != tag:
        yield "the tag or the release commit is in the origin without the other"
    if tag is not None and now.refs.get(NEWER_TAG, tag) != head:
        yield "the tag is not at the release commit"
    if tag is not None and not any(
        good[digest] for digest in good if digest in _at(now, f"sha-{tag[:7]}")
    ):
        yield "the release commit is in the origin and its image is not verified"
    if TAG in now.tags and tag is None:
        yield f"the image {TAG} shows without its tag in the origin"


def _at(now: View, tag: str) -> list[str]:
    return [now.tags[tag]] if tag in now.tags else []


def check_run(
    run: Run,
    *,
    killed: bool,
    complete: bool,
    asked: bool = True,
    stages: Iterable[str],
    secrets: Iterable[str],
) -> Iterator[str]:
    """How a run may end. Where it was not told what it ``asked``, no verification can pass, whatever is there."""
    if run.code is None:
        yield "it was not bounded in time, or asked something"
        return
    text = run.out + run.err
    if any(secret in text for secret in secrets):
        yield "a secret is in the output"
    if killed:
        return
    if run.code == 0 and not complete:
        yield "exit 0, and the release is not complete"
    if run.code != 0 and complete and asked:
        yield f"the release is complete, and the exit code is {run.code}"
    if "Traceback" in text:
        yield "a traceback"
    if run.code == 0:
        return
    if run.code not in range(1, 8):
        yield f"exit code {run.code} is not documented"
    if not any(re.search(rf"^{stage} +failed ", run.err, re.MULTILINE) for stage in stages):
        yield "the failure does not name its point"
    if not re.search(r"^  next: .*(again|`)", run.err, re.MULTILINE):
        yield "the failure does not name the command that goes on"


def check_end(run: Run, now: View, wanted: View, signers: int = 1) -> Iterator[str]:
    """What an undisturbed run has to come to, whatever was before. ``signers`` runs signed at the same moment."""
    if run.code != 0:
        last = next((line for line in run.err.splitlines() if line.startswith("shipway:")), "")
        yield f"the next run ended with {run.code}: {last}"
    for name, found in now.shape().items():
        if found != wanted.shape()[name]:
            yield f"{name} are {found}, not {wanted.shape()[name]}"
    counts = [now.signatures[one] for one in now.entries.get(now.tags.get(TAG, ""), ())]
    if any(not 1 <= count <= signers for count in counts):
        yield f"signatures of the entries: {counts}"


def count_signers(point: str, fault: str) -> int:
    """Runs that sign at the same moment: neither a registry nor cosign keeps one of them from it. Both are right."""
    return 2 if fault == "second" and STAGES[point] == "sign" else 1


def expect(before: View, now: View) -> View:
    """What the release that is due comes to, told by what was there before it; its commit is whatever was tagged."""
    commit = now.refs.get(TAG, "")
    staged = {f"sha-{commit[:7]}", TAG, "latest"}
    docs = {version: (title, ()) for version, (title, _) in before.docs.items()}
    return View(
        tags={**before.tags, **dict.fromkeys(staged, "new")},
        versions={**before.versions, **dict.fromkeys(staged, NEW)},
        refs={**before.refs, "main": commit, TAG: commit},
        releases=(*before.releases, (TAG, False, "new")),
        docs={**docs, "0.2": (NEW, ("latest",))},
    )


def expect_newer(finished: View, now: View) -> View:
    """What the release that is due comes to where a newer one overtook it; its digest is whatever it has."""
    commit, digest = now.refs.get(NEWER_TAG, ""), now.tags.get(NEWER_TAG, "none")
    taken = (f"sha-{commit[:7]}", NEWER_TAG, "latest")
    return View(
        tags={**finished.tags, **dict.fromkeys(taken, digest)},
        versions={**finished.versions, **dict.fromkeys(taken, NEWER)},
        refs={**finished.refs, "main": commit, NEWER_TAG: commit},
        releases=(*finished.releases, (NEWER_TAG, False, digest)),
        docs={**finished.docs, "0.2": (NEWER, ("latest",))},
    )

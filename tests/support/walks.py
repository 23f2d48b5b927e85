"""Random walks of releases over remotes in memory: people push, runs die, race and lose answers, tags are moved.

Loop and stages are the real ones. Git's history and the decision which version is due are a model: every commit since
the last release calls for a new minor version.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shipway.errors import Conflict, ShipwayError, StepFailed
from shipway.image.labels import REVISION, VERSION
from shipway.model.release import LATEST, GitTag, Release
from shipway.model.target import Building, Signer, Target, require_release
from shipway.model.version import parse_version
from shipway.run.reconcile import reconcile
from shipway.run.result import Outcome
from shipway.settings.tables import Settings, SignSettings
from shipway.stages import PIPELINE
from shipway.target.plan import plan_docs_version
from shipway.target.releases import tags_above, tags_on, version_of
from shipway.target.tags import plan_moving
from tests.support.model_remotes import Died, ModelRemotes, digest_of, manifest

FORMAT, MAIN, STARTS = "v{version}", "refs/heads/main", 4
FIRST, EVIL = "f" * 40, digest_of("of a stranger")
PLATFORMS = ("linux/amd64", "linux/arm64")
MOMENTS = st.integers(0, 13)
"""Which change of a run something happens at; a release makes a dozen."""
PLACES = st.integers(0, 9)
Make = Callable[[], object]


@dataclass
class Remotes(ModelRemotes):
    """Remotes where anything may happen at a change."""

    happens: Callable[[Make], object] | None = None

    def strike(self, make: Make) -> object:
        """Once."""
        assert self.happens
        return self.happens(make)


def numbers_of(version: str) -> tuple[int, int, int]:
    """The numbers of a stable version."""
    parsed = parse_version(version)
    assert parsed is not None
    return parsed.major, parsed.minor, parsed.patch


def find_release(tags: tuple[GitTag, ...], base: str) -> GitTag | None:
    """Find the release of a commit: all tags of the model are on release commits of the branch."""
    releases = (*tags_on(tags, base, FORMAT), *tags_above(tags, base, FORMAT))
    return releases[0] if releases else None


class Walk(RuleBasedStateMachine):
    """What people and machines do to releases, and what has to hold after each of these steps."""

    def __init__(self) -> None:
        super().__init__()
        self.remotes = Remotes(parents={FIRST: ""}, refs={MAIN: FIRST})
        self.known: dict[str, str] = {}
        """Digest by version tag, as it was first seen or as a stranger left it."""
        self.git_tags: dict[str, str] = {}
        self.spoiled: set[str] = set()
        self.unsigned: set[str] = set()
        """Digests that lost a signature and were not signed again."""
        self.raced: set[str] = set()
        self.latest: dict[str, tuple[int, int, int]] = {}
        """The highest version that was the latest one, by place."""

    # What a release of a commit is, by the model of git.

    def tags(self) -> tuple[GitTag, ...]:
        """The release tags of the origin."""
        refs = [
            (ref.rpartition("/")[2], commit)
            for ref, commit in self.remotes.refs.items()
            if "/tags/" in ref
        ]
        return tuple(GitTag(name, commit, self.remotes.parents[commit]) for name, commit in refs)

    def decide(self, base: str) -> Target:
        """The target of the release that was made of ``base``, or is due there."""
        tags = self.tags()
        tag = find_release(tags, base)
        if tag is None:
            before = [
                version_of(other.name, FORMAT)
                for other in tags
                if other.commit in self.remotes.history(base)
            ]
            minor = max((version.minor for version in before if version), default=0)
            name = f"v0.{minor + 1}.0"
            commit = hashlib.sha1(f"{base} {name[1:]}".encode()).hexdigest()
            tag = GitTag(name, commit, base)
            self.remotes.parents[tag.commit] = base
        version = version_of(tag.name, FORMAT)
        assert version is not None
        versions = [version_of(other.name, FORMAT) for other in tags]
        moving = plan_moving(version, filter(None, versions), rolling=False)
        sign = SignSettings(key="cosign.key", public_key="cosign.pub", transparency_log=False)
        return Target(
            settings=Settings(sign=sign),
            image="registry.example/acme/toy",
            commit=tag.commit,
            branch="main",
            channel="release",
            staging=f"sha-{tag.commit[:7]}",
            tags=(tag.name, *moving),
            platforms=PLATFORMS,
            folder="/clone",
            repository="acme/toy",
            labels={VERSION: str(version), REVISION: tag.commit},
            signer=Signer(key="cosign.key", public_key="cosign.pub", transparency_log=False),
            build=Building(epoch=1),
            release=Release(
                version=version,
                tag=tag.name,
                commit=tag.commit,
                notes="- A change",
                moving=moving,
                base=self.remotes.refs[MAIN],
            ),
            docs_version=plan_docs_version(version),
        )

    def release(self, base: str) -> tuple[Target, list[Outcome]]:
        """As `pipeline.release` does it: where the branch moved meanwhile, it starts again from its head."""
        for left in reversed(range(STARTS)):
            seen: list[Outcome] = []
            if find_release(self.tags(), base) is None and self.remotes.refs[
                MAIN
            ] not in self.remotes.history(base):
                base = self.remotes.refs[MAIN]
            target = self.decide(base)
            executor = replace(self.remotes.executor, wait=lambda _: None)
            try:
                reconcile(PIPELINE, target, executor, record=seen.append)
                return target, seen
            except Conflict:
                if not left or self.remotes.refs[MAIN] in (
                    base,
                    require_release(target).base,
                    target.commit,
                ):
                    raise
                base = self.remotes.refs[MAIN]
        raise AssertionError

    def attempt(self, place: int) -> None:
        """A release that may fail, of the branch's head or of a commit some way behind it."""
        history = list(self.remotes.history(self.remotes.refs[MAIN]))
        signed = Counter(self.remotes.signatures)
        try:
            target, seen = self.release(history[min(place // 3, len(history) - 1)])
        except (ShipwayError, Died) as error:
            assert not isinstance(error, Conflict) or self.spoiled, error
        else:
            # Exit 0 exactly when everything is there and verified.
            assert target.tags[0] not in self.spoiled and len(seen) == len(PIPELINE)
            self.check_complete(target)
        finally:
            self.remotes.die_at = -1
            self.unsigned -= set(Counter(self.remotes.signatures) - signed)
            if self.remotes.tags.get(LATEST) != EVIL:
                self.spoiled.discard(LATEST)

    def disturb(self, moment: int, place: int, happens: Callable[[Make], object]) -> None:
        """A release during which something happens."""
        self.remotes.die_at, self.remotes.happens = self.remotes.changes + moment, happens
        self.attempt(place)

    # The steps.

    @rule()
    def push(self) -> None:
        """Somebody pushes a commit."""
        head = self.remotes.refs[MAIN]
        commit = hashlib.sha1(f"{head} and {len(self.remotes.parents)}".encode()).hexdigest()
        self.remotes.parents[commit] = head
        self.remotes.refs[MAIN] = commit

    @rule(place=PLACES)
    def run(self, place: int) -> None:
        """A run that nothing disturbs."""
        self.attempt(place)

    @rule(moment=MOMENTS, place=PLACES, done=st.booleans())
    def kill(self, moment: int, place: int, done: bool) -> None:
        """A run is killed, before a change or after it."""

        def happens(make: Make) -> object:
            if done:
                make()
            raise Died

        self.disturb(moment, place, happens)

    @rule(moment=MOMENTS, place=PLACES, done=st.booleans(), passes=st.booleans())
    def lose_the_answer(self, moment: int, place: int, done: bool, passes: bool) -> None:
        """A change is made or not, and the run is not told."""

        def happens(make: Make) -> object:
            if done:
                make()
            raise StepFailed("connection reset", hint="run the same command again", passes=passes)

        self.disturb(moment, place, happens)

    @rule(moment=MOMENTS, place=PLACES, other=PLACES, pushed=st.booleans())
    def race(self, moment: int, place: int, other: int, pushed: bool) -> None:
        """While one run is at a change, another one of the same or of another commit goes all its way."""
        before = Counter(self.remotes.signatures)

        def happens(make: Make) -> object:
            if pushed:
                self.push()
            self.attempt(other)
            return make()

        self.disturb(moment, place, happens)
        self.raced |= set(Counter(self.remotes.signatures) - before)

    @precondition(lambda self: self.known)
    @rule(place=PLACES, latest=st.booleans())
    def move_a_tag(self, place: int, latest: bool) -> None:
        """A stranger moves a public tag of the image."""
        self.remotes.manifests[EVIL] = {**manifest("of a stranger", PLATFORMS), "digest": EVIL}
        tag = LATEST if latest else sorted(self.known)[place % len(self.known)]
        if tag in self.remotes.tags:
            self.remotes.tags[tag] = EVIL
            self.spoiled.add(tag)
            if tag != LATEST:
                self.known[tag] = EVIL

    @precondition(lambda self: self.remotes.signatures)
    @rule(place=PLACES)
    def lose_a_signature(self, place: int) -> None:
        """A registry loses one."""
        digest = self.remotes.signatures[place % len(self.remotes.signatures)]
        self.remotes.signatures = [one for one in self.remotes.signatures if one != digest]
        self.unsigned.add(digest)

    # What has to hold.

    @invariant()
    def every_public_tag_is_at_a_verified_image(self) -> None:
        """Unless a stranger put it elsewhere, or a signature was lost."""
        signed = {*self.remotes.signatures, *self.unsigned}
        for tag, digest in self.remotes.tags.items():
            if not tag.startswith("sha-") and tag not in self.spoiled:
                below: Any = self.remotes.manifests[digest]["manifests"]  # Any: JSON
                entries = [str(entry["digest"]) for entry in below]
                assert signed.issuperset((digest, *entries)), f"{tag} is at an unverified digest"

    @invariant()
    def a_version_keeps_its_digest_and_its_commit(self) -> None:
        """Image tags and git tags alike."""
        now = {tag: digest for tag, digest in self.remotes.tags.items() if tag.startswith("v")}
        assert {**now, **self.known} == now
        self.known = now
        tags = {tag.name: tag.commit for tag in self.tags()}
        assert {**tags, **self.git_tags} == tags
        self.git_tags = tags

    @invariant()
    def latest_goes_forward(self) -> None:
        """In the registry, in the docs, and on GitHub."""
        for place, versions in self.find_latest().items():
            assert len(versions) < 2, f"{place}: {versions}"
            for version in versions:
                assert numbers_of(version) >= self.latest.get(place, (0, 0, 0)), (
                    f"{place} goes back to {version}"
                )
                self.latest[place] = numbers_of(version)

    def find_latest(self) -> dict[str, list[str]]:
        """What is the latest version, by place; a tag that a stranger moved says nothing."""
        at = self.remotes.tags.get(LATEST)
        image = [] if at is None or LATEST in self.spoiled else [self.remotes.labels[at][VERSION]]
        docs = [str(one["title"]) for one in self.remotes.docs if one["aliases"]]
        releases = [
            str(one["name"])[1:]
            for one in self.remotes.releases
            if not one["draft"] and one["make_latest"] == "true"
        ]
        return {"the image": image, "the docs": docs, "the releases": releases}

    @invariant()
    def nothing_shows_before_its_commit(self) -> None:
        """The tag is in the origin, on the branch, before an image, a release or docs of that version."""
        branch = set(self.remotes.history(self.remotes.refs[MAIN]))
        assert branch.issuperset(self.git_tags.values())
        public = [str(one["tag_name"]) for one in self.remotes.releases if not one["draft"]]
        assert set(self.git_tags) >= {
            *self.known,
            *public,
            *(f"v{one['title']}" for one in self.remotes.docs),
        }
        assert len(public) == len(set(public))

    @invariant()
    def no_signature_is_made_twice(self) -> None:
        """But by two runs at the same moment: no registry keeps one from writing."""
        assert {
            digest for digest, count in Counter(self.remotes.signatures).items() if count > 1
        } <= self.raced

    def check_complete(self, target: Target) -> None:
        """All of a release is there."""
        remotes = self.remotes
        assert remotes.refs[f"refs/tags/{require_release(target).tag}"] == target.commit
        assert remotes.tags[require_release(target).tag] == remotes.tags[target.staging]
        (release,) = (
            one for one in remotes.releases if one["tag_name"] == require_release(target).tag
        )
        assert release["assets"] == [{"name": "image.json"}] and not release["draft"]
        assert str(require_release(target).version) in [one["title"] for one in remotes.docs]

    def teardown(self) -> None:
        """Whatever was: one run at the branch's head, and all is there; the next one changes nothing."""
        if require_release(self.decide(self.remotes.refs[MAIN])).tag in self.spoiled:
            return
        self.attempt(0)
        changes = self.remotes.changes
        target, seen = self.release(self.remotes.refs[MAIN])
        assert {one.outcome for one in seen} == {"skipped"} and self.remotes.changes == changes
        self.check_complete(target)
        assert list(self.find_latest().values()) == [[str(require_release(target).version)]] * 3

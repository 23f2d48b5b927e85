"""Remotes in memory that understand what the stages say to them; they can die at any action."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from shipway.effects.executor import Executor
from shipway.effects.failures import failure
from shipway.image.contents import (
    ATTESTATION,
    MANIFEST,
    NOT_THERE,
    PROVENANCE,
    SPDX,
    Attestation,
    BrokenPart,
    Contents,
    PlatformContents,
    Statement,
)
from shipway.image.index import SUBJECT, Index, parse_index
from shipway.image.labels import REVISION, SOURCE
from shipway.image.provenance import BUILD_TYPES
from shipway.model.actions import (
    Answer,
    Command,
    ComparePackages,
    FindBroken,
    Json,
    Question,
    ReadBundles,
    ReadImage,
    Reply,
    Request,
)
from tests.support.cosign_lists import COSIGN_3, list_entries

SITE = "https://github.com"


class Died(Exception):
    """The machine that ran the release is gone."""


def digest_of(text: str) -> str:
    """A digest like a registry's."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def manifest(name: str, platforms: tuple[str, ...]) -> dict[str, Json]:
    """What a registry shows of an index with one attestation for each platform."""
    entries: list[Json] = []
    for platform in platforms:
        system, machine = platform.split("/")
        image = digest_of(name + platform)
        entries.append({"digest": image, "platform": {"os": system, "architecture": machine}})
        entries.append(
            {
                "digest": digest_of(image + "attestation"),
                "annotations": {SUBJECT: image},
                "platform": {"os": "unknown", "architecture": "unknown"},
            }
        )
    return {"digest": digest_of(name), "manifests": entries}


def provenance_of(commit: str, **changes: Json) -> dict[str, Json]:
    """A good provenance of version 1, as BuildKit writes it; ``changes`` replace whole branches."""
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPES[1],
            "externalParameters": {"request": {"args": {"build-arg:EXTRA": "dev"}}},
            "resolvedDependencies": [
                {"uri": "pkg:docker/python@3.13", "digest": {"sha256": "ab" * 32}}
            ],
            **_given(changes, "externalParameters", "resolvedDependencies", "buildType"),
        },
        "runDetails": {
            "builder": {"id": f"{SITE}/acme/toy/actions/runs/1003/attempts/1"},
            "metadata": {
                "finishedOn": "2026-01-02T03:04:05.678901234Z",
                "buildkit_metadata": {
                    "vcs": {
                        "source": f"{SITE}/acme/toy.git",
                        "revision": commit,
                        **_given(changes, "source", "revision"),
                    }
                },
                **_given(changes, "finishedOn"),
            },
            **_given(changes, "builder"),
        },
    }


def _given(changes: Mapping[str, Json], *names: str) -> dict[str, Json]:
    return {name: changes[name] for name in names if name in changes}


def annotations_in(command: Command) -> dict[str, Json]:
    """The annotations that a command asks for."""
    prefix = "--annotation=index:"
    words = [word.removeprefix(prefix) for word in command.argv if word.startswith(prefix)]
    annotations: dict[str, Json] = {}
    for word in words:
        name, _, text = word.partition("=")
        annotations[name] = text
    return annotations


def contents_of(index: Index, labels: Mapping[str, str], packages: int = 1) -> Contents:
    """What is in a good image: one distribution, and as many packages in its SBOM."""
    names = tuple((f"package-{number}", "1.0", "MIT") for number in range(packages))
    platforms = {
        entry.platform: PlatformContents(
            digest=entry.digest,
            labels=dict(labels),
            compiled=2,
            distributions=(("Package_0", "1.0"),) if packages else (),
        )
        for entry in index.images
    }
    attestations = tuple(
        Attestation(
            digest=entry.digest,
            subject=entry.subject,
            statements=(
                Statement(type=SPDX, subjects=(entry.subject,), packages=names),
                Statement(
                    type=f"{PROVENANCE}v1",
                    subjects=(entry.subject,),
                    build=provenance_of(
                        labels.get(REVISION, ""), source=labels.get(SOURCE, f"{SITE}/acme/toy")
                    ),
                ),
            ),
        )
        for entry in index.attestations
    )
    return Contents(
        digest=index.digest,
        annotations=dict(labels),
        platforms=platforms,
        attestations=attestations,
    )


def _gone(kind: str, digest: str, platform: str) -> BrokenPart:
    return BrokenPart(kind=kind, digest=digest, platform=platform, problem=NOT_THERE)


@dataclass
class ModelRemotes:
    """``die_at`` counts changes: the one with that number is ``lost`` (not made) or made without an answer."""

    die_at: int = -1
    lost: bool = True
    builds: int = 0
    changes: int = 0
    manifests: dict[str, dict[str, Json]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    signatures: list[str] = field(default_factory=list)
    attested: list[tuple[str, str]] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)
    releases: list[dict[str, Json]] = field(default_factory=list)
    docs: list[dict[str, Json]] = field(default_factory=list)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each image by its digest; of those that were merged under an empty name."""
    gone: set[str] = field(default_factory=set)
    """Digests of manifests below an index that somebody deleted."""
    builders: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each builder the platforms by node; the one in use is the engine itself."""
    raw: dict[str, dict[str, Json]] = field(default_factory=dict)
    """What was shown as a manifest itself, by the digest of that text."""
    broken: tuple[BrokenPart, ...] = ()
    """Parts below the manifests of every image that are gone."""
    packages: int = 3
    broken_docs: str = ""
    """What MkDocs says of docs that it cannot build."""
    parents: dict[str, str] = field(default_factory=dict)
    """First parent of each commit. Where it is empty every push goes forward."""

    @property
    def executor(self) -> Executor:
        """Hands that reach these remotes and nothing else, one change after the other."""
        return Executor(runner=self.run, answers=self.answer, api=self.request, workers=1)

    def state(self) -> object:
        """All that people can see."""
        return (
            self.tags,
            sorted(self.signatures),
            sorted(self.attested),
            self.refs,
            self.releases,
            self.docs,
        )

    def run(self, command: Command) -> Answer:
        """Answer a command as the real tool would."""
        programs: dict[tuple[str, ...], Callable[[Command], Answer]] = {
            ("cosign", "verify-attestation"): lambda asked: Answer(
                code=0 if (asked.argv[-1].partition("@")[2], asked.argv[2]) in self.attested else 10
            ),
            ("docker", "buildx", "build"): self._build,
            ("docker", "buildx", "inspect"): self._inspect_builder,
            ("docker", "buildx", "create"): self._create_builder,
            ("docker", "buildx", "imagetools", "inspect"): self._inspect,
            ("docker", "buildx", "imagetools", "create"): self._create,
            ("cosign", "sign"): self._sign,
            ("cosign", "attest"): self._attest,
            ("cosign", "verify"): self._verify,
            ("git", "ls-remote"): self._ls_remote,
            ("git", "push"): self._push,
            ("git", "fetch"): lambda _: Answer(code=0),
            ("git", "ls-tree"): lambda _: Answer(code=0, out="versions.json\0"),
            ("git", "cat-file"): self._show,
            ("mike", "--version"): lambda _: Answer(code=0, out="mike 2.2.0"),
            ("mkdocs", "build"): self._try_docs,
            ("mike", "deploy"): self._deploy,
            ("mike", "alias"): self._alias,
            ("mike", "set-default"): lambda _: Answer(code=0),
        }
        answer = next(do for words, do in programs.items() if command.argv[: len(words)] == words)(
            command
        )
        if answer.code not in command.expected:
            raise failure(command, answer)
        return answer

    def change(self, action: Command | Request, make: Callable[[], object]) -> Answer:
        """Make a change, or meet what happens at this one."""
        assert action.effect == "publish", action
        self.changes += 1
        found = self.strike(make) if self.changes - 1 == self.die_at else make()
        return found if isinstance(found, Answer) else Answer(code=0)

    def strike(self, make: Callable[[], object]) -> object:
        """Die before the change, or after it."""
        if not self.lost:
            make()
        raise Died

    def _build(self, command: Command) -> Answer:
        name = (
            next(word for word in command.argv if word.startswith("--output="))
            .split("name=")[1]
            .split(",")[0]
        )

        def make() -> None:
            self.builds += 1
            platforms = next(
                word for word in command.argv if word.startswith("--platform=")
            ).partition("=")[2]
            found = manifest(f"{name}#{self.builds}", tuple(platforms.split(",")))
            found["annotations"] = annotations_in(command)
            self.manifests[str(found["digest"])] = found
            self.tags[name.rpartition(":")[2]] = str(found["digest"])
            labels = dict(
                word[len("--label=") :].split("=", 1) for word in command.argv if "--label=" in word
            )
            self.labels[str(found["digest"])] = self.labels[""] = labels

        return self.change(command, make)

    def _inspect_builder(self, command: Command) -> Answer:
        name = command.argv[3] if len(command.argv) > 3 else ""
        nodes = self.builders.get(name, {} if name else {"default": "linux/amd64"})
        if not nodes:
            return Answer(code=1, err=f'ERROR: no builder "{name}" found')
        lines = [f"Name: {name}", "Driver: docker", "", "Nodes:"]
        for node, platforms in nodes.items():
            lines += [f"Name: {node}", f"Endpoint: {node}", f"Platforms: {platforms}", ""]
        return Answer(code=0, out="\n".join(lines))

    def _create_builder(self, command: Command) -> Answer:
        words = dict(zip(command.argv, command.argv[1:]))
        flags = dict(word.split("=", 1) for word in command.argv if "=" in word)
        nodes = self.builders.setdefault(words["--name"], {})
        nodes[flags.get("--node", "first")] = flags.get("--platform", "")
        return Answer(code=0)

    def _find(self, reference: str) -> dict[str, Json] | None:
        digest = reference.partition("@")[2]
        return self.manifests.get(digest or self.tags.get(reference.rpartition(":")[2], ""))

    def _inspect(self, command: Command) -> Answer:
        reference = command.argv[4]
        found = self._find(reference)
        name = reference.partition("@")[0]
        missing = reference
        # buildx asks for all that an index names, too.
        if found and "--raw" not in command.argv:
            parts = [str(entry["digest"]) for entry in cast(list[Any], found["manifests"])]
            gone = [part for part in parts if part in self.gone]
            missing = f"{name}@{gone[0]}" if gone else ""
        elif found or reference.partition("@")[2] in self.parts - self.gone:
            missing = ""
        if missing:
            return Answer(code=1, err=f"ERROR: {missing}: not found")
        text = json.dumps(found or {})
        if found and "--raw" in command.argv:
            self.raw[digest_of(text)] = found
        return Answer(code=0, out=text)

    @property
    def parts(self) -> set[str]:
        """Digests of all that the indexes name."""
        indexes = [cast(list[Any], found["manifests"]) for found in self.manifests.values()]
        return {str(entry["digest"]) for entries in indexes for entry in entries}

    def answer(self, question: Question[Reply]) -> Reply:
        """Answer a question of shipway to itself as an ``Answerer`` would."""
        answer: object = None
        asked: object = question
        if isinstance(asked, ReadImage):
            index = self.raw.get(asked.digest) or self.manifests[asked.digest]
            answer = self._contents(index)
        elif isinstance(asked, FindBroken):
            answer = self.broken
        elif isinstance(asked, ReadBundles):
            answer = {digest: () for digest in asked.digests}
        elif isinstance(asked, ComparePackages):
            answer = f"changes since {asked.previous}"
        assert answer is not None, f"nobody answers {question}"
        return cast(Reply, answer)

    def _contents(self, index: dict[str, Json]) -> Contents:
        labels = self.labels.get(str(index["digest"]), self.labels[""])
        contents = contents_of(parse_index(json.dumps(index)), labels, self.packages)
        return self._without_gone(contents)

    def _without_gone(self, contents: Contents) -> Contents:
        """Leave out what is gone, and name it, as whoever reads a registry does."""
        broken = list(self.broken)
        platforms: dict[str, PlatformContents] = {}
        for platform, holding in contents.platforms.items():
            if holding.digest in self.gone:
                broken.append(_gone(MANIFEST, holding.digest, platform))
            else:
                platforms[platform] = holding
        attestations: list[Attestation] = []
        for attestation in contents.attestations:
            if attestation.digest in self.gone:
                broken.append(_gone(ATTESTATION, attestation.digest, attestation.subject))
            else:
                attestations.append(attestation)
        return msgspec.structs.replace(
            contents,
            platforms=platforms,
            attestations=tuple(attestations),
            broken=tuple(broken),
        )

    def _create(self, command: Command) -> Answer:
        sources: list[str] = []
        tags: list[str] = []
        for before, word in zip(command.argv[3:], command.argv[4:]):
            _, at, digest = word.partition("@")
            tag = word.rpartition(":")[2]
            if before == "--tag":
                tags.append(tag)
            elif at:
                sources.append(digest)
            elif not word.startswith("--"):
                sources.append(self.tags[tag])
        digest = sources[0]
        if len(sources) > 1:
            digest = self._merge(sources, annotations_in(command))
        return self.change(command, lambda: self.tags.update({tag: digest for tag in tags}))

    def _merge(self, sources: list[str], annotations: dict[str, Json]) -> str:
        """One index over the entries of several, as buildx flattens them."""
        entries: list[Json] = []
        for source in sources:
            entries += self.manifests[source]["manifests"]  # type: ignore[arg-type]
        found: dict[str, Json] = {
            "digest": digest_of("".join(sources)),
            "manifests": entries,
            "annotations": annotations,
        }
        self.manifests[str(found["digest"])] = found
        return str(found["digest"])

    def _sign(self, command: Command) -> Answer:
        return self.change(
            command, lambda: self.signatures.append(command.argv[-1].partition("@")[2])
        )

    def _attest(self, command: Command) -> Answer:
        pair = (
            command.argv[-1].partition("@")[2],
            next(word for word in command.argv if word.startswith("--type=")),
        )
        return self.change(command, lambda: self.attested.append(pair))

    def _verify(self, command: Command) -> Answer:
        digest = command.argv[-1].partition("@")[2]
        if digest in self.gone:
            return Answer(code=1, err="Error: GET https://r/v2/a/manifests/b: MANIFEST_UNKNOWN")
        attested = [kind for subject, kind in self.attested if subject == digest]
        signatures = [COSIGN_3] * self.signatures.count(digest)
        # cosign 3 lists all that the identity said of a digest.
        entries = [*attested, *signatures]
        return list_entries(*entries) if entries else Answer(code=10)

    def _ls_remote(self, command: Command) -> Answer:
        asked = command.argv[3:]
        return Answer(
            code=0, out="".join(f"{self.refs[ref]}\t{ref}\n" for ref in asked if ref in self.refs)
        )

    def _alias(self, command: Command) -> Answer:
        version, alias = command.argv[-2:]

        def make() -> None:
            for one in self.docs:
                others: list[Json] = [
                    name for name in cast(list[Json], one["aliases"]) if name != alias
                ]
                one["aliases"] = [*others, alias] if one["version"] == version else others

        return self.change(command, make)

    def _push(self, command: Command) -> Answer:
        refs: dict[str, str] = {}
        for refspec in command.argv[4:]:
            # A tag that is pushed by its name alone is at the commit that goes to the branch.
            source, _, ref = refspec.rpartition(":")
            refs[ref] = source or next(iter(refs.values()))

        def make() -> Answer:
            # Atomic: both or neither. A tag is not moved, and a branch only forward.
            for ref, commit in refs.items():
                is_tag = ref.startswith("refs/tags/")
                moved = is_tag and self.refs.get(ref, commit) != commit
                if moved or not (is_tag or self._is_forward(ref, commit)):
                    return Answer(code=1, err="! [rejected] main -> main (fetch first)")
            self.refs.update(refs)
            return Answer(code=0)

        return self.change(command, make)

    def _is_forward(self, branch: str, commit: str) -> bool:
        return not self.parents or self.refs[branch] in self.history(commit)

    def history(self, commit: str) -> Iterator[str]:
        """The commit and its ancestors, as far as they are known."""
        while commit:
            yield commit
            commit = self.parents.get(commit, "")

    def _show(self, _command: Command) -> Answer:
        return Answer(code=0, out=json.dumps(self.docs))

    def _try_docs(self, command: Command) -> Answer:
        assert command.effect == "local" and not command.secrets
        return Answer(code=1 if self.broken_docs else 0, err=self.broken_docs)

    def _deploy(self, command: Command) -> Answer:
        words = command.argv[command.argv.index("--title") + 1 :]
        title, version = words[0], words[1]

        def make() -> None:
            aliases: list[Json] = list(words[2:])
            # `--update-aliases`: an alias moves from one version to another.
            self.docs = [
                {
                    **one,
                    "aliases": [
                        name for name in cast(list[Json], one["aliases"]) if name not in aliases
                    ],
                }
                for one in self.docs
                if one["version"] != version
            ]
            self.docs.append({"version": version, "title": title, "aliases": aliases})
            self.refs["refs/heads/gh-pages"] = "d0c5"

        return self.change(command, make)

    def request(self, request: Request) -> Answer:
        """Answer a request as GitHub's API would."""
        if request.path.endswith("/releases/latest"):
            latest = [
                one
                for one in self.releases
                if one.get("make_latest") == "true" and not one["draft"]
            ]
            return Answer(code=200, out=json.dumps(latest[0])) if latest else Answer(code=404)
        if "/releases/tags/" in request.path:
            tag = request.path.rpartition("/")[2]
            shown = [
                one for one in self.releases if (one["tag_name"], one["draft"]) == (tag, False)
            ]
            return Answer(code=200, out=json.dumps(shown[0])) if shown else Answer(code=404)
        if request.method == "GET":
            return Answer(code=200, out=json.dumps(self.releases))

        def make() -> None:
            if request.method == "POST" and not request.content:
                number = 1 + max((int(str(one["id"])) for one in self.releases), default=6)
                self.releases.append(
                    {
                        "id": number,
                        "assets": [],
                        "upload_url": f"/upload/{number}/assets{{?name}}",
                        "html_url": "page",
                        **request.body,
                    }
                )
                return
            (ours,) = (one for one in self.releases if f"/{one['id']}" in request.path)
            if request.content:
                ours["assets"] = [{"name": request.path.partition("name=")[2]}]
            elif request.method == "DELETE":
                self.releases.remove(ours)
            else:
                if request.body.get("make_latest") == "true":
                    self.releases[:] = [{**one, "make_latest": "false"} for one in self.releases]
                ours = next(one for one in self.releases if one["id"] == ours["id"])
                ours.update(request.body)

        return self.change(request, make)

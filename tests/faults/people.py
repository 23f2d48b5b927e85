"""What people see: the tags of the image, the origin, the releases and the docs, asked for past the proxy."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from shipway.model.actions import Answer
from shipway.model.target import Signer
from shipway.tools.cosign import verify_signature
from shipway.tools.mike import read_versions
from tests.faults import docker
from tests.faults.world import REPOSITORY, World, read_json
from tests.sigstore.identity import GITHUB
from tests.support import repositories

_ACCEPT = f"{docker.INDEX}, {docker.MANIFEST}, application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One look at all remotes."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """Digest by tag of the image, signatures left out."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """What the image behind each tag says its version is."""
    entries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Digest of an index → all digests that have to be signed, its own among them."""
    signatures: Mapping[str, int] = field(default_factory=dict)
    """How many signatures each of them carries."""
    refs: Mapping[str, str] = field(default_factory=dict)
    """Commit by branch or tag of the origin."""
    releases: tuple[tuple[str, bool, str], ...] = ()
    """Tag, whether it is a draft, and the digest that its asset names."""
    docs: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def shape(self) -> dict[str, object]:
        """All of it without digests of images, which every build has of its own."""
        names = {digest: self.versions[tag] for tag, digest in self.tags.items()}
        return {
            "tags": {tag: names[digest] for tag, digest in self.tags.items()},
            "refs": {name: commit for name, commit in self.refs.items() if name != "gh-pages"},
            "releases": sorted(
                (tag, draft, names.get(digest, digest)) for tag, draft, digest in self.releases
            ),
            "docs": dict(self.docs),
        }


def status(world: World) -> View:
    """Look at everything."""
    tags, versions, entries = dict[str, str](), dict[str, str](), dict[str, tuple[str, ...]]()
    listed = cast(dict[str, Any], json.loads(_ask(world, "tags/list")[1] or b"{}"))
    for tag in listed.get("tags") or []:
        if tag.startswith("sha256-"):
            continue
        digest, content = _ask(world, f"manifests/{tag}")
        index = json.loads(content)
        tags[tag] = digest
        versions[tag] = index["annotations"]["org.opencontainers.image.version"]
        entries[digest] = (*(one["digest"] for one in index["manifests"]), digest)
    signed = {digest for group in entries.values() for digest in group}
    return View(
        tags=tags,
        versions=versions,
        entries=entries,
        refs=_refs(world),
        releases=tuple(_releases(world)),
        docs=_docs(world),
        signatures={digest: _count(world, digest) for digest in signed},
    )


def verifies(world: World, view: View, digest: str) -> bool:
    """Whether cosign finds a signature of the release workflow on an index and on all of its entries."""
    workflow = world.sigstore.workflow
    signer = Signer(
        identity=workflow.identity, issuer=GITHUB, repository=workflow.repository, ref=workflow.ref
    )
    commands = [verify_signature(world.image, signer, entry).argv for entry in view.entries[digest]]
    running = [
        subprocess.Popen(
            argv, env=world.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for argv in commands
    ]
    codes = [process.wait(timeout=60) for process in running]
    return not any(codes)


def _ask(world: World, what: str) -> tuple[str, bytes]:
    status, headers, content = docker.ask(
        "GET", world.registry, f"/v2/{REPOSITORY}/{what}", Accept=_ACCEPT
    )
    return headers.get("docker-content-digest", ""), content if status == 200 else b""


def _count(world: World, digest: str) -> int:
    """Signatures in cosign 2's place and in cosign 3's: a tag each, since this registry lists no referrers."""
    name = digest.replace(":", "-")
    older, newer = (
        json.loads(_ask(world, f"manifests/{name}{suffix}")[1] or b"{}") for suffix in (".sig", "")
    )
    return len(older.get("layers", ())) + len(newer.get("manifests", ()))


def _refs(world: World) -> dict[str, str]:
    form = "%(refname:short)%09%(objectname)%09%(*objectname)"
    rows = repositories.git(
        world.home / "origin.git", "for-each-ref", f"--format={form}"
    ).splitlines()
    return {name: peeled or commit for name, commit, peeled in (row.split("\t") for row in rows)}


def _releases(world: World) -> Iterable[tuple[str, bool, str]]:
    for one in cast(list[dict[str, Any]], read_json(world.home / "releases/releases.json") or []):
        asset = cast(
            dict[str, str], read_json(world.home / f"releases/assets/{one['id']}/image.json") or {}
        )
        digest = asset.get("digest", "")
        # A page that does not name the image tells nobody which one it is.
        yield one["tag_name"], one["draft"], digest if digest in one["body"] else ""


def _docs(world: World) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    try:
        text = repositories.git(world.home / "origin.git", "show", "gh-pages:versions.json")
    except subprocess.CalledProcessError:
        return {}
    published = read_versions(Answer(code=0, out=text))
    return {version: (docs.title, docs.aliases) for version, docs in published.items()}

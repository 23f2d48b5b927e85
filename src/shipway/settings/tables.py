"""The tables of `[tool.shipway]` are frozen types; every key has a conventional default."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal, get_args

import msgspec

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
"""The issuer that vouches for the identities of GitHub's workflows."""


def _about(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


Words = tuple[str, ...]
Severity = Literal["negligible", "low", "medium", "high", "critical"]
Plus = Literal["_", "-", "."]
SEVERITIES: Words = get_args(Severity)
"""The words for how severe a vulnerability is, from the least to the most."""


class BuildSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.build]` says how the image is built."""

    platforms: Annotated[Words, _about("platforms of the image")] = ("linux/amd64", "linux/arm64")
    strategy: Annotated[
        Literal["cross", "emulated", "native"],
        _about(
            "foreign platforms are cross-built by the Dockerfile, emulated, "
            "or built on runners of their own"
        ),
    ] = "cross"
    dockerfile: Annotated[str, _about("the Dockerfile, relative to the project")] = "Dockerfile"
    context: Annotated[str, _about("folder that is sent to the build")] = "."
    target: Annotated[str, _about("stage to build; the last one when empty")] = ""
    args: Annotated[
        dict[str, str], _about("build arguments; they are public, the provenance records them")
    ] = {}
    secrets: Annotated[Words, _about("values of `--secret`, such as `id=pip,env=PIP_TOKEN`")] = ()
    ssh: Annotated[Words, _about("values of `--ssh`, such as `default`")] = ()
    sbom_generator: Annotated[
        str, _about("image that makes the SBOM, with its digest; BuildKit's own when empty")
    ] = ""
    oci_artifact: Annotated[
        bool | None,
        _about(
            "push attestations as OCI artifacts; where not set, as BuildKit does, and the older "
            "way where the registry refuses that"
        ),
    ] = None
    allow_foreign: Annotated[
        Words, _about("compiled files for another machine that are meant: `opt/firmware/*`")
    ] = ()
    extra_args: Annotated[Words, _about("further arguments of `docker buildx build`")] = ()


class SignSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.sign]` says how the image is signed."""

    key: Annotated[
        str, _about("private key of cosign (file or KMS address); keyless when empty")
    ] = ""
    public_key: Annotated[str, _about("public key that belongs to it")] = ""
    workflow: Annotated[str, _about("file name of the workflow that releases")] = "release.yml"
    identity: Annotated[
        str, _about("exact identity of a keyless signature; the workflow's own when empty")
    ] = ""
    issuer: Annotated[str, _about("issuer of that identity")] = GITHUB_ISSUER
    attest: Annotated[
        bool, _about("sign SBOM and provenance as attestations, too, for policy engines")
    ] = False
    browser: Annotated[bool, _about("sign keyless by logging in with a browser, on a laptop")] = (
        False
    )
    transparency_log: Annotated[
        bool, _about("record signatures made with a key in the transparency log")
    ] = True
    signing_config: Annotated[str, _about("signing config of a private Sigstore (cosign 3)")] = ""
    trusted_root: Annotated[str, _about("trusted root of a private Sigstore (cosign 3)")] = ""


class CacheSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.cache]` says where steps that were built before come from."""

    type: Annotated[
        Literal["none", "gha", "registry", "local", "inline"],
        _about("where steps that were built before come from"),
    ] = "none"
    ref: Annotated[
        str, _about("image of a registry's cache; the image with the tag `cache` when empty")
    ] = ""
    folder: Annotated[str, _about("folder of a local cache")] = ".cache/buildx"


class BuilderSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.builder]` says which builder of buildx builds."""

    driver: Annotated[
        Literal["default", "docker-container", "remote", "kubernetes"],
        _about("buildx driver; `default` is the builder that is in use"),
    ] = "default"
    options: Annotated[
        dict[str, str], _about("its `--driver-opt`, such as `replicas` and `namespace`")
    ] = {}
    nodes: Annotated[
        dict[str, str],
        _about(
            "its nodes by platform: an address such as `tcp://arm:1234`, "
            "or the node selector of `kubernetes`"
        ),
    ] = {}


class PruneSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.prune]` says which images may go."""

    days: Annotated[
        int,
        msgspec.Meta(
            ge=1, description="images of branches and pull requests older than this may go"
        ),
    ] = 30


class TagSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.tags]` says which tags an image gets besides its own."""

    rolling: Annotated[bool, _about("a release also moves `v1.2` and `v1`")] = False
    plus: Annotated[
        Plus, _about("stands in image tags for the `+` before a version's build metadata")
    ] = "_"
    edge: Annotated[bool, _about("the first release branch also moves `edge`")] = False


class Exemption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[tool.shipway.policy.exceptions]]` lets a vulnerability stay for a while."""

    id: Annotated[
        str,
        msgspec.Meta(min_length=1, description="one of the vulnerability's names, such as its CVE"),
    ]
    until: Annotated[datetime.date, _about("last day on which it counts")]
    reason: Annotated[str, msgspec.Meta(min_length=1, description="why it may stay until then")]


class PolicySettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.policy]` limits what an image may hold."""

    licenses: Annotated[
        Words, _about("licenses that packages of the image may have; any when empty")
    ] = ()
    severity: Annotated[
        Severity,
        _about("known vulnerabilities from this severity on are refused"),
    ] = "high"
    exceptions: Annotated[
        tuple[Exemption, ...],
        _about("vulnerabilities that may stay for a while: `{id, until, reason}` each"),
    ] = ()


class ReleaseSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.release]` says what is released."""

    branches: Annotated[Words, _about("branches that are released")] = ("main",)
    tag_format: Annotated[str, _about("name of a release's git tag")] = "v{version}"
    tag_only: Annotated[
        bool, _about("make no release commit: the tag names the commit that is released")
    ] = False
    paths: Annotated[
        Words,
        _about(
            "commits count that change these, relative to the project; its own folder when empty"
        ),
    ] = ()


class DocsSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.docs]` says how the docs are published."""

    config: Annotated[str, _about("configuration of MkDocs")] = "mkdocs.yml"
    branch: Annotated[str, _about("branch that mike publishes to")] = "gh-pages"
    enabled: Annotated[
        bool | None, _about("publish docs; when the configuration is there, if not set")
    ] = None


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway]` holds all settings of a project."""

    image: Annotated[
        str, _about("name of the image; `ghcr.io/<owner>/<name>` of the git remote when empty")
    ] = ""
    remote: Annotated[str, _about("git remote that is released to")] = "origin"
    build: Annotated[BuildSettings, _about("how the image is built")] = BuildSettings()
    cache: Annotated[CacheSettings, _about("where steps that were built before come from")] = (
        CacheSettings()
    )
    builder: Annotated[BuilderSettings, _about("who builds it")] = BuilderSettings()
    prune: Annotated[PruneSettings, _about("which images may go")] = PruneSettings()
    tags: Annotated[TagSettings, _about("which tags it gets besides its own")] = TagSettings()
    sign: Annotated[SignSettings, _about("how it is signed")] = SignSettings()
    policy: Annotated[PolicySettings, _about("what an image may hold")] = PolicySettings()
    release: Annotated[ReleaseSettings, _about("what is released")] = ReleaseSettings()
    docs: Annotated[DocsSettings, _about("how the docs are published")] = DocsSettings()

"""`[tool.shipway]` in `pyproject.toml` → frozen, typed settings, each with a default that fits the conventions."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec

from shipway.errors import SettingsError
from shipway.settings.problems import find_problems, refusal
from shipway.settings.secret_names import is_secret_name

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
"""Issuer of the identities of GitHub's workflows."""
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?")
_IMAGE = re.compile(r"[a-z0-9]+([.:_/-]+[a-z0-9]+)*")


def _says(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


Words = tuple[str, ...]
SEVERITIES: Words = ("negligible", "low", "medium", "high", "critical")
"""From the least to the most severe."""


class BuildSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.build]`"""

    platforms: Annotated[Words, _says("platforms of the image")] = ("linux/amd64", "linux/arm64")
    strategy: Annotated[
        Literal["cross", "emulated", "native"],
        _says(
            "foreign platforms are cross-built by the Dockerfile, emulated, or built on runners of their own"
        ),
    ] = "cross"
    dockerfile: Annotated[str, _says("the Dockerfile, relative to the project")] = "Dockerfile"
    context: Annotated[str, _says("folder that is sent to the build")] = "."
    target: Annotated[str, _says("stage to build; the last one when empty")] = ""
    args: Annotated[
        dict[str, str], _says("build arguments; they are public, the provenance records them")
    ] = {}
    secrets: Annotated[Words, _says("values of `--secret`, such as `id=pip,env=PIP_TOKEN`")] = ()
    ssh: Annotated[Words, _says("values of `--ssh`, such as `default`")] = ()
    sbom_generator: Annotated[
        str, _says("image that makes the SBOM, with its digest; BuildKit's own when empty")
    ] = ""
    allow_foreign: Annotated[
        Words, _says("compiled files for another machine that are meant: `opt/firmware/*`")
    ] = ()
    extra_args: Annotated[Words, _says("further arguments of `docker buildx build`")] = ()


class SignSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.sign]`"""

    key: Annotated[
        str, _says("private key of cosign (file or KMS address); keyless when empty")
    ] = ""
    public_key: Annotated[str, _says("public key that belongs to it")] = ""
    workflow: Annotated[str, _says("file name of the workflow that releases")] = "release.yml"
    identity: Annotated[
        str, _says("exact identity of a keyless signature; the workflow's own when empty")
    ] = ""
    issuer: Annotated[str, _says("issuer of that identity")] = GITHUB_ISSUER
    attest: Annotated[
        bool, _says("sign SBOM and provenance as attestations, too, for policy engines")
    ] = False
    browser: Annotated[bool, _says("sign keyless by logging in with a browser, on a laptop")] = (
        False
    )
    transparency_log: Annotated[
        bool, _says("record signatures made with a key in the transparency log")
    ] = True
    signing_config: Annotated[str, _says("signing config of a private Sigstore (cosign 3)")] = ""
    trusted_root: Annotated[str, _says("trusted root of a private Sigstore (cosign 3)")] = ""


class CacheSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.cache]`"""

    type: Annotated[
        Literal["none", "gha", "registry", "local", "inline"],
        _says("where steps that were built before come from"),
    ] = "none"
    ref: Annotated[
        str, _says("image of a registry's cache; the image with the tag `cache` when empty")
    ] = ""
    folder: Annotated[str, _says("folder of a local cache")] = ".cache/buildx"


class BuilderSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.builder]`"""

    driver: Annotated[
        Literal["default", "docker-container", "remote", "kubernetes"],
        _says("buildx driver; `default` is the builder that is in use"),
    ] = "default"
    options: Annotated[
        dict[str, str], _says("its `--driver-opt`, such as `replicas` and `namespace`")
    ] = {}
    nodes: Annotated[
        dict[str, str], _says("addresses of remote nodes by platform, such as `tcp://arm:1234`")
    ] = {}


class PruneSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.prune]`"""

    days: Annotated[
        int,
        msgspec.Meta(
            ge=1, description="images of branches and pull requests older than this may go"
        ),
    ] = 30


class TagSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.tags]`"""

    rolling: Annotated[bool, _says("a release also moves `v1.2` and `v1`")] = False
    edge: Annotated[bool, _says("the first release branch also moves `edge`")] = False


class Exemption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[tool.shipway.policy.exceptions]]`"""

    id: Annotated[
        str,
        msgspec.Meta(min_length=1, description="one of the vulnerability's names, such as its CVE"),
    ]
    until: Annotated[datetime.date, _says("last day on which it counts")]
    reason: Annotated[str, msgspec.Meta(min_length=1, description="why it may stay until then")]


class PolicySettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.policy]`"""

    licenses: Annotated[
        Words, _says("licenses that packages of the image may have; any when empty")
    ] = ()
    severity: Annotated[
        Literal["negligible", "low", "medium", "high", "critical"],
        _says("known vulnerabilities from this severity on are refused"),
    ] = "high"
    exceptions: Annotated[
        tuple[Exemption, ...],
        _says("vulnerabilities that may stay for a while: `{id, until, reason}` each"),
    ] = ()


class ReleaseSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.release]`"""

    branches: Annotated[Words, _says("branches that are released")] = ("main",)
    tag_format: Annotated[str, _says("name of a release's git tag")] = "v{version}"
    tag_only: Annotated[
        bool, _says("make no release commit: the tag names the commit that is released")
    ] = False
    paths: Annotated[
        Words,
        _says(
            "commits count that change these, relative to the project; its own folder when empty"
        ),
    ] = ()


class DocsSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway.docs]`"""

    config: Annotated[str, _says("configuration of MkDocs")] = "mkdocs.yml"
    branch: Annotated[str, _says("branch that mike publishes to")] = "gh-pages"
    enabled: Annotated[
        bool | None, _says("publish docs; when the configuration is there, if not set")
    ] = None


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`[tool.shipway]`"""

    image: Annotated[
        str, _says("name of the image; `ghcr.io/<owner>/<name>` of the git remote when empty")
    ] = ""
    remote: Annotated[str, _says("git remote that is released to")] = "origin"
    build: Annotated[BuildSettings, _says("how the image is built")] = BuildSettings()
    cache: Annotated[CacheSettings, _says("where steps that were built before come from")] = (
        CacheSettings()
    )
    builder: Annotated[BuilderSettings, _says("who builds it")] = BuilderSettings()
    prune: Annotated[PruneSettings, _says("which images may go")] = PruneSettings()
    tags: Annotated[TagSettings, _says("which tags it gets besides its own")] = TagSettings()
    sign: Annotated[SignSettings, _says("how it is signed")] = SignSettings()
    policy: Annotated[PolicySettings, _says("what an image may hold")] = PolicySettings()
    release: Annotated[ReleaseSettings, _says("what is released")] = ReleaseSettings()
    docs: Annotated[DocsSettings, _says("how the docs are published")] = DocsSettings()


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """What `pyproject.toml` says about the project, with shipway's settings."""

    name: str
    version: str
    description: str = ""
    licenses: str = ""
    url: str = ""
    documentation: str = ""
    settings: Settings = Settings()
    releases_itself: bool = False
    """It has a `[tool.semantic_release]` of its own."""


def parse(text: str, *, place: str = "pyproject.toml") -> Project:
    """Read a `pyproject.toml`; raises ``SettingsError`` with every problem at once."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{place} is not valid TOML: {error}", hint="mend that line") from error
    metadata, tools = _table(document, "project"), _table(document, "tool")
    own = tools.get("shipway", {})
    tagged = _table(_table(tools, "shipway"), "release").get("tag-only") is True
    problems = [
        *_metadata_problems(metadata, tagged),
        *find_problems(own, Settings, "tool.shipway"),
    ]
    if not problems:
        settings = msgspec.convert(own, Settings)
        problems += _value_problems(settings)
    if problems:
        raise refusal(
            place, problems, "mend these; `shipway schema` prints what [tool.shipway] may hold"
        )
    urls = {name.lower(): str(address) for name, address in _table(metadata, "urls").items()}
    given = metadata.get("license", "")
    return Project(
        name=str(metadata["name"]),
        version=str(metadata.get("version", "")),
        description=str(metadata.get("description", "")),
        licenses=given if isinstance(given, str) else "",
        url=next((urls[name] for name in ("homepage", "repository", "source") if name in urls), ""),
        documentation=urls.get("documentation", ""),
        settings=settings,
        releases_itself="semantic_release" in tools,
    )


def _table(
    document: Mapping[str, Any], name: str
) -> dict[str, Any]:  # Any: the values of a TOML document
    found = document.get(name, {})
    return found if isinstance(found, dict) else {}


def _metadata_problems(metadata: Mapping[str, Any], tagged: bool) -> Iterator[str]:
    if not metadata:
        yield "there is no [project] table: shipway needs its name and version"
        return
    if not isinstance(metadata.get("name"), str):
        yield "project.name: missing"
    if "version" in metadata.get("dynamic", []):
        if not tagged:
            yield (
                "project.version: it is dynamic, and python-semantic-release can only stamp one that stands here; "
                "or set `tag-only` in [tool.shipway.release], and the version comes from the tag"
            )
    elif not isinstance(metadata.get("version"), str):
        yield "project.version: missing"


def _value_problems(settings: Settings) -> Iterator[str]:
    yield from _build_problems(settings.build)
    release, image = settings.release, settings.image
    if settings.builder.driver == "remote" and not settings.builder.nodes:
        yield "tool.shipway.builder.nodes: a remote builder needs the address of at least one node"
    for platform in settings.builder.nodes:
        if not all(_PLATFORM.fullmatch(one) for one in platform.split(",")):
            yield f"tool.shipway.builder.nodes: {platform!r} is not like 'linux/amd64' or 'linux/amd64,linux/386'"
    if image and (not _IMAGE.fullmatch(image) or "@" in image or ":" in image.rpartition("/")[2]):
        yield f"tool.shipway.image: {image!r} is not a lower-case image name without tag"
    if "{version}" not in release.tag_format:
        yield "tool.shipway.release.tag-format: it has to contain '{version}'"
    if not release.branches:
        yield "tool.shipway.release.branches: name at least one branch"
    if settings.remote.startswith("-") or settings.docs.branch.startswith("-"):
        yield "tool.shipway: a git remote or branch does not begin with '-'"


def _build_problems(build: BuildSettings) -> Iterator[str]:
    for platform in build.platforms:
        if not _PLATFORM.fullmatch(platform):
            yield f"tool.shipway.build.platforms: {platform!r} is not like 'linux/amd64'"
    if not build.platforms or len(set(build.platforms)) != len(build.platforms):
        yield "tool.shipway.build.platforms: name at least one platform, and each once"
    for name in build.args:
        if is_secret_name(name):
            yield f"tool.shipway.build.args: {name!r} looks like a secret, and arguments are public; use `secrets`"
    if build.sbom_generator and "@sha256:" not in build.sbom_generator:
        yield "tool.shipway.build.sbom-generator: name it by digest, `…@sha256:…`"

"""`pyproject.toml` is read into one frozen `Project`, or refused with every problem at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from shipway.settings.extra_args import list_public_values
from shipway.settings.image_names import normalize_name, read_reference
from shipway.settings.platforms import parse_platforms, platform_problems
from shipway.settings.problems import find_problems, parse_toml, settings_error
from shipway.settings.secret_marks import find_secrets
from shipway.settings.tables import BuilderSettings, BuildSettings, ReleaseSettings, Settings

_NO_TAG = re.compile(r"^[-/.]|[/.]$|\.lock$|\.\.|//|/\.|@\{|[\x00-\x20~^:?*\[\\{}\x7f]")
"""Matches what git allows in no tag's name (`git check-ref-format`), and braces.

python-semantic-release takes braces for places to fill in.
"""
_BUILD_TABLES = (("build", "args"), ("build", "extra-args"))
_HOME_PAGES = ("homepage", "repository", "source")
"""The keys of `[project.urls]` that name where the project lives, the best first."""


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """What `pyproject.toml` says about the project, with shipway's settings."""

    name: str
    version: str
    """What `[project]` says; empty where it is dynamic."""
    description: str = ""
    licenses: str = ""
    url: str = ""
    documentation: str = ""
    settings: Settings = Settings()


def parse_project(text: str, *, place: str = "pyproject.toml") -> Project:
    """Read a `pyproject.toml`; raises ``SettingsError`` with every problem at once."""
    document = parse_toml(text, place)
    metadata = _table(document, "project")
    tools = _table(document, "tool")
    own_table = tools.get("shipway", {})
    problems = [
        *_metadata_problems(metadata),
        *find_problems(own_table, Settings, "tool.shipway"),
    ]
    if not problems:
        settings = msgspec.convert(own_table, Settings)
        problems += _value_problems(settings)
        problems += _secret_problems(own_table)
    if problems:
        hint = "fix these; `shipway schema` prints what [tool.shipway] may hold"
        raise settings_error(place, problems, hint)
    return _project(metadata, _name_platforms(settings))


def _name_platforms(settings: Settings) -> Settings:
    """Give the settings with the one name of each platform, whatever it was called there."""
    platforms = parse_platforms(settings.build.platforms)
    nodes: dict[str, str] = {}
    for names, address in settings.builder.nodes.items():
        key = _node_key(names)
        nodes[key] = address
    return msgspec.structs.replace(
        settings,
        build=msgspec.structs.replace(settings.build, platforms=platforms),
        builder=msgspec.structs.replace(settings.builder, nodes=nodes),
    )


def _node_key(names: str) -> str:
    """Name the platforms of a node as buildx takes them; raises ``ValueError``."""
    words: list[str] = []
    for name in names.split(","):
        word = name.strip()
        words.append(word)
    platforms = parse_platforms(words)
    return ",".join(platforms)


def _project(metadata: Mapping[str, object], settings: Settings) -> Project:
    addresses: dict[str, str] = {}
    urls = _table(metadata, "urls")
    for name, address in urls.items():
        addresses[name.lower()] = str(address)
    version = metadata.get("version", "")
    description = metadata.get("description", "")
    # Older projects have a table there, which is no expression.
    license_ = metadata.get("license")
    licenses = license_ if isinstance(license_, str) else ""
    return Project(
        name=str(metadata["name"]),
        version=str(version),
        description=str(description),
        licenses=licenses,
        url=_home_page(addresses),
        documentation=addresses.get("documentation", ""),
        settings=settings,
    )


def _home_page(addresses: Mapping[str, str]) -> str:
    for name in _HOME_PAGES:
        if name in addresses:
            return addresses[name]
    return ""


def _table(document: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Give the table of that name, an empty one where something else stands, or nothing."""
    table = document.get(name)
    if not isinstance(table, dict):
        return {}
    return table


def _metadata_problems(metadata: Mapping[str, object]) -> Iterator[str]:
    if not metadata:
        yield "there is no [project] table: shipway needs its name and version"
        return
    if not isinstance(metadata.get("name"), str):
        yield "project.name: missing"
    dynamic = metadata.get("dynamic")
    is_dynamic = isinstance(dynamic, list) and "version" in dynamic
    version = metadata.get("version")
    if not is_dynamic and not isinstance(version, str):
        yield "project.version: missing"


def _value_problems(settings: Settings) -> Iterator[str]:
    """Name what the types of the settings cannot rule out."""
    yield from _build_problems(settings.build)
    yield from _builder_problems(settings.builder)
    image = settings.image
    if image and normalize_name(image) is None:
        yield f"tool.shipway.image: {image!r} is not a lower-case image name without tag"
    cache = settings.cache.ref
    if cache and read_reference(cache) is None:
        yield f"tool.shipway.cache.ref: {cache!r} is not the name of an image"
    yield from _release_problems(settings.release)
    git_names = (
        settings.remote,
        settings.docs.branch,
    )
    if any(name.startswith("-") for name in git_names):
        yield "tool.shipway: a git remote or branch does not begin with '-'"


def _secret_problems(table: object) -> Iterator[str]:
    """Name what holds a secret, since everybody who has the repository reads the settings."""
    for place in find_secrets(table):
        # What a build is given is named already.
        if place[:2] not in _BUILD_TABLES:
            key = ".".join(place)
            yield f"tool.shipway.{key}: it holds a secret, and the settings are public"


def _release_problems(release: ReleaseSettings) -> Iterator[str]:
    tag_format = release.tag_format
    tag = tag_format.replace("{version}", "1.2.3")
    if tag_format.count("{version}") != 1:
        yield "tool.shipway.release.tag-format: it has to contain '{version}', once"
    elif _NO_TAG.search(tag):
        yield f"tool.shipway.release.tag-format: git allows no tag like {tag_format!r}"
    if not release.branches:
        yield "tool.shipway.release.branches: name at least one branch"


def _builder_problems(builder: BuilderSettings) -> Iterator[str]:
    if builder.driver == "remote" and not builder.nodes:
        yield "tool.shipway.builder.nodes: a remote builder needs the address of at least one node"
    spellings: dict[str, str] = {}
    for names in builder.nodes:
        try:
            key = _node_key(names)
        except ValueError as error:
            yield f"tool.shipway.builder.nodes: {error}"
            continue
        if key in spellings:
            yield f"tool.shipway.builder.nodes: {names!r} and {spellings[key]!r} are both {key}"
        spellings[key] = names


def _build_problems(build: BuildSettings) -> Iterator[str]:
    if not build.platforms:
        yield "tool.shipway.build.platforms: name at least one platform"
    for problem in platform_problems(build.platforms):
        yield f"tool.shipway.build.platforms: {problem}"
    for argument in build.extra_args:
        if argument.partition("=")[0] == "--platform":
            yield "tool.shipway.build.extra-args: platforms are named in `platforms`, not here"
    for public in list_public_values(build):
        if public.is_secret({}):
            key = "args" if public.name in build.args else "extra-args"
            yield (
                f"tool.shipway.build.{key}: {public.name!r} looks like a secret, "
                "and arguments are public; use `secrets`"
            )
    generator = build.sbom_generator
    named = read_reference(generator)
    if generator and (named is None or not named.digest):
        yield "tool.shipway.build.sbom-generator: name it by digest, `…@sha256:…`"

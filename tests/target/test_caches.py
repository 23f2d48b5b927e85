"""Where caches are read and written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipway.errors import SettingsError
from shipway.model.target import Cache
from shipway.settings import Settings, parse_project
from shipway.target.caches import plan_cache
from shipway.target.context import Context

IMAGE = "ghcr.io/acme/toy"
BOTH = ("linux/amd64", "linux/arm64")
MAIN = Context(event="push", branch="main", ci=True)
TOKENS = {"ACTIONS_RUNTIME_TOKEN": "t", "ACTIONS_RESULTS_URL": "u"}


def planned(
    kind: str, context: Context = MAIN, platforms: tuple[str, ...] = BOTH, more: str = ""
) -> Cache:
    """The cache of a build."""
    settings = parse_project(
        f'[project]\nname = "x"\nversion = "1"\n[tool.shipway.cache]\ntype = "{kind}"\n{more}'
    ).settings
    return plan_cache(settings, context, TOKENS, IMAGE, platforms)


@pytest.mark.parametrize(
    ("kind", "reads", "writes"),
    [
        (
            "gha",
            "type=gha,version=2,scope=ghcr-io-acme-toy-linux-amd64-linux-arm64",
            "type=gha,version=2,scope=ghcr-io-acme-toy-linux-amd64-linux-arm64,mode=max,ignore-error=true",
        ),
        (
            "registry",
            "type=registry,ref=ghcr.io/acme/toy:cache",
            "type=registry,ref=ghcr.io/acme/toy:cache,mode=max,compression=zstd,"
            "force-compression=true,oci-mediatypes=true,image-manifest=true,ignore-error=true",
        ),
        (
            "local",
            "type=local,src=.cache/buildx",
            "type=local,dest=.cache/buildx,mode=max,compression=zstd,"
            "force-compression=true,oci-mediatypes=true,ignore-error=true",
        ),
        ("inline", "type=registry,ref=ghcr.io/acme/toy:main", "type=inline"),
    ],
)
def test_each_kind(kind: str, reads: str, writes: str) -> None:
    assert planned(kind) == Cache(reads=(reads,), writes=(writes,))


def test_none_is_the_default() -> None:
    assert plan_cache(Settings(), MAIN, {}, IMAGE, BOTH) == Cache() == planned("none")


@pytest.mark.parametrize(
    "context",
    [
        replace(MAIN, branch="topic"),
        Context(event="pull_request", pull_request=1, ci=True),
        replace(MAIN, ci=False),
    ],
)
def test_all_read_and_the_first_release_branch_writes(context: Context) -> None:
    assert planned("registry", context).reads and not planned("registry", context).writes
    assert planned("local", context).writes


def test_a_build_of_one_platform_has_a_cache_of_its_own() -> None:
    alone = planned("registry", platforms=("linux/arm64",))
    assert alone.reads == ("type=registry,ref=ghcr.io/acme/toy:cache-linux-arm64",)
    assert (
        planned("gha", platforms=("linux/arm64",))
        .reads[0]
        .endswith("scope=ghcr-io-acme-toy-linux-arm64")
    )
    elsewhere = planned("registry", more='ref = "ghcr.io/acme/cache:x"')
    assert elsewhere.reads == ("type=registry,ref=ghcr.io/acme/cache:x",)


def test_what_the_cache_service_needs_is_missed_in_actions_and_nowhere_else() -> None:
    settings = parse_project(
        '[project]\nname = "x"\nversion = "1"\n[tool.shipway.cache]\ntype = "gha"\n'
    ).settings
    assert plan_cache(settings, MAIN, {"ACTIONS_RESULTS_URL": "u"}, IMAGE, BOTH).lacks == (
        "ACTIONS_RUNTIME_TOKEN",
    )
    assert plan_cache(settings, replace(MAIN, ci=False), {}, IMAGE, BOTH) == Cache()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('builder = {driver = "remote"}', "needs the address of at least one node"),
        (
            'builder = {driver = "remote", nodes = {x = "tcp://a"}}',
            "nodes: 'x' is not like 'linux/amd64'",
        ),
        ('build = {sbom-generator = "scanner:1"}', "name it by digest"),
        ('cache = {type = "github"}', "tool.shipway.cache.type: Invalid enum value 'github'"),
        ('build = {strategy = "qemu"}', "tool.shipway.build.strategy"),
    ],
)
def test_bad_values_are_named(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        parse_project(f'[project]\nname = "x"\nversion = "1"\n[tool.shipway]\n{text}\n')

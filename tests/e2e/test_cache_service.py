"""BuildKit's own client of GitHub's cache, against a double of the service: what it keeps, finds, drops and dies of.

Each test names one thing that shipway relies on, or has to make up for.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipway.effects.environment import cache_folder
from tests.support.cacheservice import READ, WRITE, CacheService, serve
from tests.support.toy import Toy

pytestmark = pytest.mark.engine

MAIN, BRANCH = "refs/heads/main", "refs/heads/branch"
STEPS = ("COPY large /large", "COPY --from=first /large /copied")
DOCKERFILE = f"FROM scratch AS first\n{STEPS[0]}\nFROM scratch\n{STEPS[1]}\n"
TO, FROM = (
    "--cache-to=type=gha,version=2,scope=one,mode=max",
    "--cache-from=type=gha,version=2,scope=one",
)
BLOBS = "buildkit-blob-1-"


@dataclass(frozen=True)
class Log:
    """What a build said: the steps it took from the cache, what failed on the way, and its last words."""

    cached: set[str]
    errors: str
    end: str


@dataclass(frozen=True)
class Builder:
    """A project of two steps, an engine, and a cache service."""

    service: CacheService
    environment: dict[str, str]
    project: Path

    def build(
        self,
        *options: str,
        scopes: dict[str, int] | None = None,
        without: str = "",
        code: int = 0,
        empty: bool = True,
    ) -> Log:
        """Build on a builder that was emptied, as a job with ``scopes`` whose environment lacks ``without``."""
        environment = {
            **self.environment,
            **self.service.environment(scopes or {MAIN: READ | WRITE}),
        }
        environment.pop(without, None)
        self.service.asked.clear()
        if empty:
            self._buildx(environment, "prune", "--all", "--force")
        done = self._buildx(
            environment,
            "build",
            "--progress=rawjson",
            f"--output={self.project}/out",
            *options,
            str(self.project),
        )
        assert done.returncode == code, done.stderr
        return read(done.stderr)

    def _buildx(self, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ("docker", "buildx", *words),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def read(text: str) -> Log:
    """A log in JSON. The plain one leaves CACHED out of a step whose download begins in the same moment.

    A cached step whose blob is not there is said to be cached, fails, and runs.
    """
    lines = text.splitlines()
    documents = [json.loads(line) for line in lines if line.startswith('{"')]
    vertexes = [vertex for document in documents for vertex in document.get("vertexes", ())]
    said = {vertex["name"].partition("] ")[2] for vertex in vertexes if vertex.get("cached")}
    failed = {
        vertex["name"].partition("] ")[2]: vertex["error"]
        for vertex in vertexes
        if vertex.get("error")
    }
    end = "\n".join(line for line in lines if not line.startswith('{"'))
    return Log(said - failed.keys(), "\n".join(failed.values()), end)


@pytest.fixture(name="builder")
def fixture_builder(environment: dict[str, str], tmp_path: Path) -> Iterator[Builder]:
    """A builder whose cache holds nothing yet; BuildKit is in the engine, on this machine's own network.

    Builders are emptied, so only shipway's own engine will do. Version 2 of the service came to engines with 28.
    """
    plain = {name: value for name, value in environment.items() if not name.startswith("ACTIONS_")}
    asked = subprocess.run(
        ("docker", "version", "--format", "{{.Server.Version}}"),
        env=plain,
        check=True,
        capture_output=True,
        text=True,
    )
    if (
        str(cache_folder(plain)) not in plain.get("DOCKER_HOST", "")
        or int(asked.stdout.partition(".")[0]) < 28
    ):
        message = "the engine is not shipway's own, or older than 28: `shipway engine --suite sid`"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "large").write_bytes(
        os.urandom(3_000_000)
    )  # three blocks of the client's, which are 1 MiB
    with serve(300) as service:
        yield Builder(service, plain, tmp_path)


@pytest.fixture(name="warm")
def fixture_warm(builder: Builder) -> Builder:
    """A builder whose cache was written by a build on the default branch."""
    assert not builder.build(TO).cached
    return builder


def test_an_empty_builder_takes_every_step_from_the_cache(warm: Builder) -> None:
    assert {"PUT block", "PUT blocklist", "PUT blob"} <= set(warm.service.asked)
    assert warm.build(FROM).cached == set(STEPS) and "GET blob" in warm.service.asked


def test_another_scope_of_the_cache_finds_nothing(warm: Builder) -> None:
    assert not warm.build("--cache-from=type=gha,version=2,scope=two").cached
    assert "GET blob" not in warm.service.asked


def test_a_branch_reads_the_default_branch_and_not_the_other_way_round(warm: Builder) -> None:
    branch = {BRANCH: READ | WRITE, MAIN: READ}
    assert warm.build(FROM, scopes=branch).cached == set(STEPS)
    warm.service.evict("")
    warm.build(TO, scopes=branch)
    assert warm.build(FROM, scopes=branch).cached == set(STEPS) and not warm.build(FROM).cached


def test_a_second_write_leaves_the_blobs_and_counts_the_index_up(warm: Builder) -> None:
    warm.build(FROM, TO)
    (created,) = [line for line in warm.service.asked if line.startswith("CreateCacheEntry ")]
    assert re.fullmatch(r"CreateCacheEntry index-one-1-[0-9a-f]{8}#2", created)
    assert warm.build(FROM).cached == set(STEPS)


def test_a_token_that_only_reads_writes_nothing_and_fails_the_build_unless_told_otherwise(
    warm: Builder,
) -> None:
    before = list(warm.service.entries)
    assert (
        warm.build(FROM, TO, scopes={MAIN: READ}, code=1).end
        == "ERROR: failed to build: failed to solve: failed to reserve cache"
    )
    log = warm.build(FROM, f"{TO},ignore-error=true", scopes={MAIN: READ})
    assert (log.cached, log.errors, warm.service.entries) == (
        set(STEPS),
        "failed to reserve cache",
        before,
    )


@pytest.mark.parametrize("without", ["ACTIONS_RESULTS_URL", "ACTIONS_RUNTIME_TOKEN"])
def test_without_address_or_token_the_cache_is_dropped_and_nothing_is_said(
    warm: Builder, without: str
) -> None:
    """Why shipway looks at both before a build."""
    assert warm.build(FROM, TO, without=without) == Log(set(), "", "") and warm.service.asked == []


def test_a_token_that_is_refused_costs_the_cache_and_the_build_goes_on(warm: Builder) -> None:
    assert warm.build(f"{FROM},token={warm.service.token({MAIN: READ})}x") == Log(
        set(), "unauthenticated", ""
    )


def test_a_step_whose_entry_was_evicted_before_the_build_runs_again(warm: Builder) -> None:
    assert warm.service.evict(BLOBS) == 2
    log = warm.build(FROM)
    assert (
        not log.cached
        and not log.end
        and re.match(r"blob sha256:[0-9a-f]{64}: not found", log.errors)
    )


def test_a_blob_that_goes_between_look_up_and_download_kills_the_build(warm: Builder) -> None:
    """What shipway looks for before it builds once more without the cache.

    Writing mends the cache only when the entry is gone: BuildKit asks whether there is one, not whether it has bytes.
    """
    assert warm.service.evict(BLOBS, bytes_only=True) == 2
    end = warm.build(FROM, code=1).end
    assert re.match(
        r"ERROR: failed to build: failed to solve: (failed to compute cache key: )?failed to copy: "
        r"GET http://127\.0\.0\.1:\d+/blobs/\d+\n-+\n"
        r"RESPONSE 404: 404 The specified blob does not exist\.\nERROR CODE: BlobNotFound\n-+\n",
        end,
    )
    assert "sig=" not in end and warm.build(FROM, code=1, empty=False).end == end
    assert warm.build(TO, empty=False).end == "" and warm.build(FROM, code=1).end == end
    warm.service.evict(BLOBS)
    assert warm.build(TO, empty=False).end == "" and warm.build(FROM).cached == set(STEPS)


def test_a_blob_that_arrives_cut_kills_the_build(warm: Builder) -> None:
    for entry in warm.service.entries:
        if entry.key.startswith(BLOBS):
            entry.content = (entry.content or b"")[:1000]
    assert re.search(
        r"failed to solve: .*short read: expected \d+ bytes but got 1000: unexpected EOF",
        warm.build(FROM, code=1).end,
    )


def test_a_build_of_shipways_own_is_run_once_more_when_its_cache_broke(
    builder: Builder, toy: Toy
) -> None:
    toy.environment |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "acme/toy",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REF": MAIN,
        **builder.service.environment({MAIN: READ | WRITE}),
    }
    cached = []
    for number in (1, 2, 3):
        builder._buildx(toy.environment, "prune", "--all", "--force")  # pylint: disable=protected-access
        if number == 3:
            builder.service.evict(BLOBS, bytes_only=True)
        toy.environment["GITHUB_SHA"] = toy.write(
            settings='[tool.shipway.cache]\ntype = "gha"\n', message=f"feat: {number}"
        )
        found = toy.run("build", "--push")
        cached.append(toy.cached(found))
        assert ("a cache broke; run once more" in found["said"]) is (number == 3), found["said"]
    assert cached[0] < cached[1] and cached[2] < cached[1]
    toy.environment.pop("ACTIONS_RUNTIME_TOKEN")
    toy.environment["GITHUB_SHA"] = toy.write(
        settings='[tool.shipway.cache]\ntype = "gha"\n', message="feat: 4"
    )
    assert "needs ACTIONS_RUNTIME_TOKEN" in toy.run("build", "--push", code=3)["error"]["message"]

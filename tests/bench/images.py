"""Pairs of image builds. Each has its own control: a build without any cache, in the same round."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from shipway.effects.processes import Processes
from tests.bench.builder import (
    COMPRESSION,
    Builder,
    open_builder,
    read_emulators,
    require_emulation,
)
from tests.bench.measure import Goal, Pair, Way

PLAIN = ("--provenance=false",)
"""The image alone: attestations take the same time with a cache as without one."""
ATTESTED = ("--provenance=mode=max", "--sbom=true")
DATED = ",rewrite-timestamp=true"


class Images:
    """The pairs; the builder they share is there once the first of them is prepared."""

    def __init__(self, folder: Path, runner: Processes) -> None:
        self._folder, self._runner = folder, runner
        self._bare = ""

    @functools.cached_property
    def _builder(self) -> Builder:
        return open_builder(self._folder, self._runner, self._runner.public)

    def pairs(self) -> list[Pair]:
        """Every pair, the one that takes minutes last."""
        return [*self._caches(), self._overhead(), self._emulation()]

    def _caches(self) -> list[Pair]:
        cold = Way(
            "both platforms without a cache",
            lambda: self._builder.build("--no-cache", *PLAIN),
            self._empty,
        )
        warm = Way(
            "the same from the registry's cache, with an emptied builder",
            self._build_cached,
            self._empty,
        )
        changed = Way(
            "the same from the registry's cache, with an emptied builder and one line changed",
            self._build_cached,
            self._change,
        )
        released = [
            Way(
                f"both platforms with SBOM, provenance and dated files, {how}",
                functools.partial(self._build_released, word),
                self._empty,
            )
            for how, word in (("without a cache", "--no-cache"), ("from the registry's cache", ""))
        ]
        return [
            Pair(name="warm", baseline=cold, ours=warm, goal=Goal(15), prepare=self._fill),
            Pair(name="one-line", baseline=cold, ours=changed, goal=Goal(5), prepare=self._fill),
            Pair(
                name="warm-release",
                baseline=released[0],
                ours=released[1],
                goal=Goal(1),
                prepare=self._fill,
                asked_for=True,
            ),
        ]

    def _empty(self) -> None:
        self._builder.empty()

    def _change(self) -> None:
        self._builder.change_a_line()
        self._builder.empty()

    def _fill(self) -> None:
        cache = self._builder.cache
        self._builder.build(
            *PLAIN, f"--cache-to={cache},mode=max,{COMPRESSION},image-manifest=true"
        )

    def _build_cached(self) -> None:
        self._builder.build(*PLAIN, f"--cache-from={self._builder.cache}")

    def _build_released(self, word: str) -> None:
        self._builder.build(*ATTESTED, word or f"--cache-from={self._builder.cache}", output=DATED)

    def _emulation(self) -> Pair:
        def prepare() -> None:
            require_emulation(read_emulators())
            self._empty()

        def build(dockerfile: str) -> None:
            self._builder.build(
                "--no-cache", *PLAIN, f"--file={dockerfile}", platforms=("linux/arm64",)
            )

        return Pair(
            name="cross-arm64",
            goal=Goal(12),
            prepare=prepare,
            baseline=Way(
                "arm64 emulated, with uv", lambda: build("Dockerfile.emulated"), self._empty
            ),
            ours=Way("arm64 cross-built, with uv", lambda: build("Dockerfile"), self._empty),
        )

    def _overhead(self) -> Pair:
        """The service's settings say `--no-cache`, and so does the command that is printed.

        Its packages are fetched before, so that no network stands between two figures that differ by little.
        """

        def prepare() -> None:
            self._builder.fetch_packages()
            self._commit()
            self._shell("shipway build --push")

        def ask() -> None:
            self._commit()
            printed = self._builder.run("shipway", "build", "--push", "--dry-run", "--json").out
            self._bare = "\n".join(
                line for stage in json.loads(printed)["stages"] for line in stage["commands"]
            )

        return Pair(
            name="build-overhead",
            goal=Goal(1.02, at_most=True),
            prepare=prepare,
            runs=2,
            baseline=Way(
                "the commands that `shipway build --push --dry-run` prints",
                lambda: self._shell(self._bare),
                ask,
            ),
            ours=Way(
                "`shipway build --push`", lambda: self._shell("shipway build --push"), self._commit
            ),
        )

    def _commit(self) -> None:
        """Another commit has another staging tag, under which there is no image yet."""
        self._builder.git("commit", "--quiet", "--all", "--allow-empty", "--message=fix: something")

    def _shell(self, line: str) -> None:
        self._builder.run("sh", "-ec", line)

"""The parts: which programs each has, and how they are built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent
_REQUIREMENT = re.compile(r"^(?:require )?\s*(\S+) (v\S+)", re.MULTILINE)
_TOOLCHAIN = re.compile(r"^toolchain (\S+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Part:
    """Programs of one Go module, built as their authors build them."""

    name: str
    """Names the folder of `go.mod`, too."""
    module: str
    """Names the module whose version is the part's."""
    programs: Mapping[str, str]
    """Gives the package of each program."""
    stamp: str = ""
    """Names the variable that holds what the program says its version is."""
    flags: tuple[str, ...] = ()
    linker: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    """Names the Debian packages that it is linked with; a part without them needs no C compiler."""
    sources: Path = field(default=FOLDER)

    @property
    def folder(self) -> Path:
        """Name the folder of `go.mod` and `go.sum`."""
        return self.sources / self.name

    @property
    def requirements(self) -> str:
        """Give the text of `go.mod`."""
        return (self.folder / "go.mod").read_text(encoding="utf-8")

    @property
    def version(self) -> str:
        """Give the version of its module that `go.mod` asks for."""
        versions: dict[str, str] = dict(_REQUIREMENT.findall(self.requirements))
        return versions[self.module]

    @property
    def toolchain(self) -> str:
        """Give the Go that builds it, such as ``go1.27.3``; the go command fetches it like a module."""
        match = _TOOLCHAIN.search(self.requirements)
        assert match is not None, f"{self.folder}/go.mod names no toolchain"
        return match[1]

    @property
    def arguments(self) -> tuple[str, ...]:
        """Give the arguments of `go build`."""
        linker = ["-s", "-w", *self.linker]
        if self.stamp:
            linker.append(f"-X {self.stamp}={self.version}")
        ldflags = " ".join(linker)
        return (
            "-trimpath",
            "-buildvcs=false",
            "-mod=readonly",
            *self.flags,
            f"-ldflags={ldflags}",
        )


PARTS = (
    Part(
        name="actionlint",
        module="github.com/rhysd/actionlint",
        programs={"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"},
    ),
    Part(
        name="registry",
        module="github.com/distribution/distribution/v3",
        programs={"registry": "github.com/distribution/distribution/v3/cmd/registry"},
        stamp="github.com/distribution/distribution/v3/version.version",
    ),
    Part(
        name="fulcio",
        module="github.com/sigstore/fulcio",
        programs={"fulcio": "github.com/sigstore/fulcio"},
    ),
    Part(
        name="rekor",
        module="github.com/sigstore/rekor-tiles/v2",
        programs={"rekor": "github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix"},
    ),
    Part(
        name="tesseract",
        module="github.com/transparency-dev/tesseract",
        programs={"tesseract": "github.com/transparency-dev/tesseract/cmd/tesseract/posix"},
    ),
    Part(
        name="timestamps",
        module="github.com/sigstore/timestamp-authority/v2",
        programs={
            "timestamp-server": "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server"
        },
    ),
    Part(
        name="cosign",
        module="github.com/sigstore/cosign/v3",
        programs={"cosign": "github.com/sigstore/cosign/v3/cmd/cosign"},
        stamp="sigs.k8s.io/release-utils/version.gitVersion",
    ),
    Part(
        name="crane",
        module="github.com/google/go-containerregistry",
        programs={"crane": "github.com/google/go-containerregistry/cmd/crane"},
    ),
    Part(
        name="buildkit",
        module="github.com/moby/buildkit",
        programs={
            "buildkitd": "github.com/moby/buildkit/cmd/buildkitd",
            "buildctl": "github.com/moby/buildkit/cmd/buildctl",
        },
        stamp="github.com/moby/buildkit/version.Version",
    ),
    Part(
        name="runc",
        module="github.com/opencontainers/runc",
        programs={"buildkit-runc": "github.com/opencontainers/runc"},
        # Without the first one a scan for an SBOM fails.
        flags=("-tags=seccomp,netgo,osusergo",),
        linker=('-extldflags "-static"',),
        headers=("libseccomp-dev",),
    ),
    Part(
        name="buildx",
        module="github.com/docker/buildx",
        programs={"docker-buildx": "github.com/docker/buildx/cmd/buildx"},
        stamp="github.com/docker/buildx/version.Version",
    ),
)
"""Lists every part; those that are used sooner come first."""

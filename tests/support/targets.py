"""What should exist of a small project."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from shipway.model.release import Release
from shipway.model.target import Building, Signer, Target
from shipway.model.version import Version
from shipway.settings import Settings, SignSettings


def make_release() -> Release:
    """Give the highest stable release of a project."""
    return Release(
        version=Version(1, 2, 3),
        tag="v1.2.3",
        commit="c" * 40,
        notes="- A feature",
        moving=("latest",),
    )


def make_target() -> Target:
    """Give the target of a release of a project with docs and a repository."""
    sign = SignSettings(key="cosign.key", public_key="cosign.pub", transparency_log=False)
    return Target(
        settings=Settings(sign=sign),
        image="registry.example/acme/toy",
        commit="c" * 40,
        branch="main",
        channel="release",
        staging="sha-ccccccc",
        tags=("v1.2.3", "latest"),
        platforms=("linux/amd64", "linux/arm64"),
        folder="/clone",
        repository="acme/toy",
        labels={
            "org.opencontainers.image.version": "1.2.3",
            "org.opencontainers.image.revision": "c" * 40,
        },
        signer=Signer(key="cosign.key", public_key="cosign.pub", transparency_log=False),
        build=Building(epoch=1_700_000_000),
        release=make_release(),
        docs_version="1.2",
    )


def change_settings(target: Target, table: str, **changes: object) -> Target:
    """Give the target with other values in one table of the settings, such as ``build``."""
    changed = msgspec.structs.replace(getattr(target.settings, table), **changes)
    settings = msgspec.structs.replace(target.settings, **{table: changed})
    return replace(target, settings=settings)

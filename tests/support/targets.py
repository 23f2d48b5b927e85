"""What should exist of a small project."""

from __future__ import annotations

from shipway.model.target import Building, Signing, Target


def make_target() -> Target:
    """Give the target of a release of a project with docs and a repository."""
    return Target(
        image="registry.example/acme/toy",
        commit="c" * 40,
        branch="main",
        channel="release",
        staging="sha-ccccccc",
        tags=("v1.2.3", "latest"),
        platforms=("linux/amd64", "linux/arm64"),
        folder="/clone",
        version="1.2.3",
        tag="v1.2.3",
        notes="- A feature",
        latest=True,
        repository="acme/toy",
        docs="1.2",
        build=Building(epoch=1_700_000_000),
        signing=Signing(key="cosign.key", public_key="cosign.pub", transparency_log=False),
        labels={
            "org.opencontainers.image.version": "1.2.3",
            "org.opencontainers.image.revision": "c" * 40,
        },
    )

"""What the tests of the stages share."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from shipway.model import Target
from shipway.recipe import Building, Signing
from tests.unit.registry import Registry


@pytest.fixture
def target() -> Target:
    """A release of a project with docs and a repository."""
    return Target(
        image="registry.example/acme/toy", commit="c" * 40, branch="main", channel="release", staging="sha-ccccccc",
        tags=("v1.2.3", "latest"), platforms=("linux/amd64", "linux/arm64"), folder="/clone", version="1.2.3",
        tag="v1.2.3", notes="- A feature", latest=True, repository="acme/toy", docs="1.2",
        build=Building(epoch=1_700_000_000),
        signing=Signing(key="cosign.key", public_key="cosign.pub", transparency_log=False),
        labels={"org.opencontainers.image.version": "1.2.3", "org.opencontainers.image.revision": "c" * 40},
    )


@pytest.fixture(name="registry")
def fixture_registry() -> Iterator[Registry]:
    """A registry on loopback."""
    registry = Registry()
    threading.Thread(target=registry.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield registry
    registry.server.shutdown()
    registry.server.server_close()

"""A part of the fault matrix: one release that meets every point and every fault on its way, and still arrives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shipway.effects.environment import equip
from shipway.rehearsal.registry import PROGRAMS
from tests.faults import invariants, world
from tests.faults.cells import Stage
from tests.faults.people import status
from tests.faults.points import FAULTS, POINTS, moments
from tests.faults.programs import find

pytestmark = pytest.mark.engine

WAY = (
    ("version", "hang"),
    ("base pull", "503"),
    ("blob push", "lost"),
    ("index push", "kill-after"),
    ("token", "401"),
    ("certificate", "429"),
    ("timestamp or log", "kill-before"),
    ("signature push", "kill-after"),
    ("git push", "reset"),
    ("tag promotion", "second"),
    ("release", "403"),
    ("docs", "other"),
)
"""In the order of the release: most faults end a run, and the next one goes on to the next point."""


@pytest.fixture(name="tools")
def fixture_tools() -> dict[str, str]:
    """The environment with cosign and a registry; without them a laptop skips, and CI fails."""
    tools = equip(os.environ)
    if not find("cosign", tools) or not any(find(name, tools) for name in PROGRAMS):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "no cosign, or no registry: run `task engine`"
        )
    return tools


def test_the_way_leads_past_every_point_and_every_fault() -> None:
    assert [point for point, _ in WAY] == list(POINTS) and {fault for _, fault in WAY} == set(
        FAULTS
    )


def test_a_release_that_meets_every_fault_arrives(tmp_path: Path, tools: dict[str, str]) -> None:
    with world.stand_up(tmp_path / "world", tools, states=1) as here:
        stage = Stage(here, ("due",))
        before = stage.views["due"]
        for point, fault in WAY:
            _, _, found = stage.disturb(point, fault, moments(point, fault)[0], before)
            assert not found, (point, FAULTS[fault], stage.runs[-1].err)
            if stage.runs[-1].code == 0:
                here.reset(
                    "due"
                )  # it survived and arrived: the points that follow lie on the way of another one
        assert not stage.finish(before)
        arrived = status(here)
        assert arrived.tags["latest"] == arrived.tags[invariants.TAG]
        # cosign 3 finds no signature where the registry is busy: nothing is signed a second time for that.
        (again,) = (moment for moment in POINTS["signature push"] if moment.again)
        here.director.journal.clear()
        assert not stage.disturb("signature push", "503", again, arrived, arrived)[2], stage.runs[
            -1
        ].err

"""Every dry run ends, whatever the settings ask for and however far a release is; it foresees all that is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from shipway.model.actions import Effect
from shipway.model.stage import State
from shipway.model.target import Signer, Target
from shipway.run.preview import StagePreview, preview
from shipway.run.reconcile import reconcile
from shipway.run.release import ORDER, preview_release
from shipway.stages import PIPELINE, attest
from shipway.target.builders import builder_name
from tests.support.model_remotes import ModelRemotes
from tests.support.scene import Scene
from tests.support.targets import change_settings

NODES = {"linux/amd64": "tcp://amd:1", "linux/arm64": "tcp://arm:1"}
SIGNERS = {
    "key": Signer(key="cosign.key", public_key="cosign.pub"),
    "key without a log": Signer(key="cosign.key", transparency_log=False),
    "keyless": Signer(identity="me", issuer="https://issuer.example"),
}
BUILDERS: Mapping[str, Mapping[str, object]] = {
    "in use": {},
    "container": {"driver": "docker-container"},
    "nodes": {"driver": "remote", "nodes": NODES},
}
CHANNELS: Mapping[str, Mapping[str, object]] = {
    "release": {},
    "prerelease": {"channel": "prerelease", "tags": ("v1.2.3-rc.1",), "docs_version": None},
    "branch": {"channel": "branch", "tags": ("topic",), "release": None, "docs_version": None},
    "no tag": {"channel": "branch", "tags": (), "release": None, "docs_version": None},
}
MOST = 40
"""More actions than any stage or release plans."""


def all_targets(target: Target, channel: str) -> Iterator[Target]:
    """Every combination of the settings that change which stages there are, and what they plan."""
    changed = replace(target, **CHANNELS[channel])  # type: ignore[arg-type]
    switches = product(
        SIGNERS.values(), BUILDERS.values(), [False, True], [False, True], [None, False]
    )
    for signer, builder, attested, docs, artifact in switches:
        chosen = change_settings(changed, "sign", attest=attested, key=signer.key)
        chosen = change_settings(chosen, "builder", **builder)
        chosen = change_settings(chosen, "build", oci_artifact=artifact)
        name = builder_name(chosen.settings.builder)
        yield replace(
            chosen,
            signer=signer,
            build=replace(chosen.build, builder=name),
            docs_version=chosen.docs_version if docs else None,
            platforms=chosen.platforms if docs else chosen.platforms[:1],
        )


def check(rows: list[StagePreview], target: Target) -> None:
    """What a dry run has to hold."""
    actions = [action for row in rows for action in row.actions]
    assert len(actions) < MOST
    for row in rows:
        if row.finding.state is State.ABSENT:
            assert row.actions, row.stage.name
    by_name = {row.stage.name: row for row in rows}
    if target.settings.sign.attest and not by_name[attest.NAME].finding.state is State.SAME:
        assert len(by_name[attest.NAME].actions) == 2 * len(target.platforms)


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_combination_of_settings_ends(target: Target, channel: str) -> None:
    count = 0
    for chosen in all_targets(target, channel):
        remotes = ModelRemotes()
        check(preview(PIPELINE, chosen, remotes.executor), chosen)
        assert not remotes.changes
        count += 1
    assert count == 72


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("done", range(len(PIPELINE)))
def test_it_ends_wherever_a_run_stopped(target: Target, channel: str, done: int) -> None:
    changed = replace(target, **CHANNELS[channel])  # type: ignore[arg-type]
    chosen = change_settings(changed, "sign", attest=True)
    remotes = ModelRemotes()
    reconcile(PIPELINE[: done + 1], chosen, remotes.executor, record=lambda _: None)
    changes = remotes.changes
    rows = preview(PIPELINE, chosen, remotes.executor)
    check(rows, chosen)
    assert remotes.changes == changes
    for row in rows[: done + 1]:
        published = [action for action in row.actions if action.effect is Effect.PUBLISH]
        assert not published, row.stage.name


@pytest.mark.process
@pytest.mark.parametrize(
    "settings",
    [
        "",
        "[tool.shipway.sign]\nattest = true\n",
        '[tool.shipway.sign]\nattest = true\nkey = "cosign.key"\ntransparency-log = false\n'
        "[tool.shipway.docs]\nenabled = true\n",
        "[tool.shipway.sign]\nattest = true\nbrowser = true\n"
        "[tool.shipway.release]\ntag-only = true\n",
        '[tool.shipway.sign]\nattest = true\ntrusted-root = "r.json"\nsigning-config = "s.json"\n'
        "[tool.shipway.tags]\nrolling = true\nedge = true\n"
        '[tool.shipway.build]\nplatforms = ["linux/amd64"]\noci-artifact = false\n',
        '[tool.shipway.policy]\nlicenses = ["MIT"]\nseverity = "low"\n'
        '[tool.shipway.cache]\ntype = "registry"\n'
        '[tool.shipway.builder]\ndriver = "docker-container"\n[tool.shipway.sign]\nattest = true\n',
        '[tool.shipway.builder]\ndriver = "remote"\n'
        'nodes = {"linux/amd64" = "tcp://a:1", "linux/arm64" = "tcp://b:1"}\n'
        "[tool.shipway.sign]\nattest = true\n[tool.shipway.docs]\nenabled = true\n",
    ],
)
def test_the_dry_run_of_a_release_ends(tmp_path: Path, settings: str) -> None:
    scene = Scene(tmp_path, settings)
    rows = preview_release(scene.session())
    assert [row.name for row in rows] == list(ORDER)
    assert not scene.remotes.changes
    by_name = {row.name: row for row in rows}
    platforms = 1 if "platforms" in settings else 2
    wanted = 2 * platforms if "attest" in settings else 0
    assert len(by_name[attest.NAME].commands) == wanted

"""Plans are ready for copy and paste: quoted, with variables for what is not known yet, without secrets."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from shipway.model.actions import Command, Effect, Request
from shipway.model.target import Target
from shipway.run.preview import quote, render_action, render_lines, render_plan
from shipway.run.reconcile import preview
from shipway.stages import PIPELINE
from tests.support.model_remotes import ModelRemotes


@pytest.mark.parametrize(
    "word", ["plain", "two words", "$(id)", "`id`", "it's", '"', "${INDEX}", "--a=b;c", "ü\n"]
)
def test_quoted_words_come_back_as_they_were(word: str) -> None:
    assert shlex.split(quote(word, {})) == [word]


def test_only_known_values_become_variables() -> None:
    names = {"sha256:INDEX": "INDEX", "/clone": "CLONE"}
    assert quote("repo@sha256:INDEX", names) == 'repo@"${INDEX}"'
    assert quote("/clone/x y", names) == "\"${CLONE}\"'/x y'"
    assert quote("${HOME}", names) == "'${HOME}'"


def test_a_command_shows_its_public_environment_and_its_folder() -> None:
    command = Command(
        name="x",
        why="y",
        argv=("tool", "a b"),
        env={"EPOCH": "1"},
        secrets=("TOKEN",),
        effect=Effect.LOCAL,
        folder="/clone",
    )
    assert render_action(command, {"/clone": "CLONE"}) == "(cd \"${CLONE}\" && EPOCH=1 tool 'a b')"
    assert render_action(command) == "EPOCH=1 tool 'a b'"


def test_requests_name_the_token_and_do_not_show_it() -> None:
    request = Request(
        name="x",
        why="y",
        method="POST",
        path="/repos/a/b/releases",
        body={"name": "it's"},
        effect=Effect.PUBLISH,
    )
    line = render_action(request)
    assert "Bearer ${GITHUB_TOKEN}" in line and "${GITHUB_API_URL:-https://api.github.com}" in line
    upload = Request(
        name="x",
        why="y",
        method="POST",
        path="https://up.example/1?name=a",
        content=b"{}",
        effect=Effect.PUBLISH,
    )
    assert render_action(upload).endswith("--data-binary '{}' 'https://up.example/1?name=a'")
    assert render_action(
        Request(name="x", why="y", method="GET", path="/user", effect=Effect.READ)
    ).endswith('"/user')


@pytest.mark.process
def test_a_whole_plan_is_valid_shell_and_sets_every_variable_before_its_use(target: Target) -> None:
    rows = render_plan(target, preview(PIPELINE, target, ModelRemotes().executor))
    text = render_lines(rows)
    assert [row.name for row in rows] == [stage.NAME for stage in PIPELINE]
    tools = (
        "CLONE=/; GITHUB_TOKEN=t; docker() { echo d; }; cosign() { :; }; git() { :; }; mike() { :; }; "
        'curl() { echo \'{"id": 7}\'; }; python3() { [ "$1" = -m ] || command python3 "$@"; }\n'
    )
    done = subprocess.run(
        ["bash", "-euc", tools + text], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")

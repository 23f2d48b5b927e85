"""Plans are ready for copy and paste: quoted, with variables for what is not known yet, without secrets."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from shipway.model.actions import Answer, Command, Effect, ReadPredicate, Request
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.run.preview import preview, quote, render_action, render_lines, render_plan
from shipway.stages import PIPELINE
from tests.support.model_remotes import ModelRemotes
from tests.support.targets import change_settings


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


class Listening(ModelRemotes):
    """Keep the words of every command."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def run(self, command: Command) -> Answer:
        """Answer a command, and keep its words."""
        self.words += command.argv
        return super().run(command)


def test_what_a_command_reads_is_piped_into_it() -> None:
    predicate = ReadPredicate(
        name="x",
        why="y",
        image="repo",
        digest="sha256:INDEX",
        predicate_type="https://spdx.dev/Document",
    )
    command = Command(
        name="x",
        why="y",
        argv=("cosign", "attest", "--predicate=-", "repo@sha256:INDEX"),
        env={"EPOCH": "1"},
        effect=Effect.PUBLISH,
        folder="/clone",
        stdin=predicate,
    )
    names = {"sha256:INDEX": "INDEX", "/clone": "CLONE"}
    question = 'shipway inspect repo@"${INDEX}" --predicate https://spdx.dev/Document'
    attestation = 'EPOCH=1 cosign attest --predicate=- repo@"${INDEX}"'
    assert render_action(command, names) == f'(cd "${{CLONE}}" && {question} | {attestation})'


def test_a_plan_attests_what_is_read_back_from_the_image(target: Target) -> None:
    asked_for = change_settings(target, "sign", attest=True)
    remotes = Listening()
    rows = render_plan(asked_for, preview(PIPELINE, asked_for, remotes.executor))
    (row,) = (row for row in rows if row.name == "attest")
    assert row.evidence == "0 of 4 attestations are signed" and remotes.changes == 0
    image = "registry.example/acme/toy"
    flags = "--predicate=- --yes --key cosign.key --tlog-upload=false"
    expected: list[str] = []
    for kind, predicate_type in (
        ("spdxjson", "https://spdx.dev/Document"),
        ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ):
        for platform in ("LINUX_AMD64", "LINUX_ARM64"):
            statements = f'{image}@"${{{platform}_ATTESTATION}}"'
            question = f"shipway inspect {statements} --predicate {predicate_type}"
            attestation = f'cosign attest --type={kind} {flags} {image}@"${{{platform}}}"'
            expected.append(f"{question} | {attestation}")
    assert list(row.commands) == expected
    # No registry knows a digest that only stands in for one.
    assert remotes.words and not [word for word in remotes.words if "@" in word]


def test_a_dry_run_ends_where_a_stage_knows_no_step(target: Target) -> None:
    lost = Stage(
        name="lost",
        observe=lambda _target, world, _ask: world,
        judge=lambda _target, _world: Finding(State.ABSENT, "nothing to see"),
        plan=lambda _target, _world: (),
        simulate=lambda _target, world: world,
    )
    (row,) = preview((lost,), target, ModelRemotes().executor)
    assert (row.finding.evidence, row.actions) == ("nothing to see", ())


@pytest.mark.process
@pytest.mark.parametrize("attest", [False, True])
def test_a_whole_plan_is_valid_shell_and_sets_every_variable_before_its_use(
    target: Target, attest: bool
) -> None:
    target = change_settings(target, "sign", attest=attest)
    rows = render_plan(target, preview(PIPELINE, target, ModelRemotes().executor))
    text = render_lines(rows)
    assert [row.name for row in rows] == [stage.name for stage in PIPELINE]
    tools = (
        "CLONE=/; GITHUB_TOKEN=t; docker() { echo d; }; cosign() { :; }; git() { :; }; mike() { :; }; mkdocs() { :; }; "
        "curl() { echo '{\"id\": 7}'; }; shipway() { :; }\n"
    )
    done = subprocess.run(
        ["bash", "-euc", tools + text], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")

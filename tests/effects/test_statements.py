"""The predicate of a statement, as `cosign attest` is given it; from a registry on loopback."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from shipway.effects.processes import Processes
from shipway.effects.questions import Answerer
from shipway.errors import StepFailed
from shipway.image.contents import PROVENANCE, SPDX
from shipway.model.actions import Command, Effect, Question, ReadPredicate
from tests.support.registry import Registry

PREDICATE = '{"packages":  [{"name": "ŧoy"}]}'


@pytest.fixture(name="question")
def fixture_question(registry: Registry) -> ReadPredicate:
    """The question for an SBOM that is there, beside a statement that is none."""
    layers = []
    for predicate_type, predicate in ((f"{PROVENANCE}v1", "{}"), (SPDX, PREDICATE)):
        statement = f'{{"predicateType": "{predicate_type}", "predicate": {predicate}}}'
        annotations = {"in-toto.io/predicate-type": predicate_type}
        layers.append({"digest": registry.put(statement.encode()), "annotations": annotations})
    digest = registry.put({"layers": layers})
    return ReadPredicate(
        name="attest", why="test", image=registry.name, digest=digest, predicate_type=SPDX
    )


def copy_command(question: ReadPredicate, *, live: bool = False) -> Command:
    """A command that prints what it reads."""
    return Command(
        name="attest",
        why="test",
        argv=(sys.executable, "-I", "-c", "import sys; print(sys.stdin.read())"),
        env={"PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"},
        effect=Effect.PUBLISH,
        stdin=question,
        live=live,
    )


def test_it_is_given_as_it_was_attested(question: ReadPredicate) -> None:
    assert Answerer({})(question) == PREDICATE.encode()


def test_a_statement_that_is_not_there(question: ReadPredicate) -> None:
    other = replace(question, predicate_type=f"{PROVENANCE}v0.2")
    with pytest.raises(StepFailed, match="holds no statement of type https://slsa.dev"):
        Answerer({})(other)


def test_a_statement_that_is_no_document(question: ReadPredicate, registry: Registry) -> None:
    digest = registry.put({"layers": [{"digest": registry.put(b"[1, 2]")}]})
    with pytest.raises(StepFailed, match=r"as blob sha256:\w+ cannot be understood") as caught:
        Answerer({})(replace(question, digest=digest))
    assert "build the image again" in caught.value.hint


@pytest.mark.process
@pytest.mark.parametrize("live", [False, True])
def test_a_command_reads_it(question: ReadPredicate, live: bool) -> None:
    answer = Processes({})(copy_command(question, live=live))
    assert json.loads(answer.out) == json.loads(PREDICATE)


@pytest.mark.process
def test_a_large_one_is_read_whole(question: ReadPredicate) -> None:
    content = b"x" * (1 << 20)

    def give(_question: Question[bytes]) -> bytes:
        return content

    answer = Processes({}, answer=give)(copy_command(question))
    assert answer.out.strip() == content.decode()


def test_a_command_whose_question_has_no_answer_is_not_started(question: ReadPredicate) -> None:
    with pytest.raises(StepFailed, match="holds no statement"):
        Processes({})(copy_command(replace(question, predicate_type="none")))

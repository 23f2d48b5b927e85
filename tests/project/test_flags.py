"""Flags of buildx, cosign, git, mike and Debian's programs stand in `tools/`, or in their stage."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "shipway"
OWNERS = ("tools", "stages")
PROGRAMS = (
    ("git",),
    ("cosign",),
    ("mike",),
    ("docker", "buildx"),
    ("apt-get",),
    ("dpkg",),
    ("dpkg-deb",),
    ("ip",),
    ("umount",),
)


def command_lines(source: str) -> Iterator[int]:
    """Give the line of each tuple, list or call that begins like a command line of a program.

    A word of its own or beside a function, such as the name of a check, is none.
    """
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    for node in nodes:
        words: list[ast.expr] = []
        if isinstance(node, ast.Tuple | ast.List):
            words = node.elts
        elif isinstance(node, ast.Call):
            words = node.args
        rest = words_after_program(words)
        if rest and not is_function(rest[0], functions):
            yield words[0].lineno


def words_after_program(words: list[ast.expr]) -> list[ast.expr]:
    """Give the words that follow a program's own; none where they are of no program."""
    for program in PROGRAMS:
        length = len(program)
        first = tuple(word.value for word in words[:length] if isinstance(word, ast.Constant))
        if first == program:
            return words[length:]
    return []


def is_function(word: ast.expr, functions: set[str]) -> bool:
    """Say whether an expression is a function: a lambda, or the name of one of ``functions``."""
    if isinstance(word, ast.Name):
        return word.id in functions
    return isinstance(word, ast.Lambda)


@pytest.mark.parametrize(
    "line",
    [
        'argv = ("git", "log", "-1")',
        'argv = ["git", *words]',
        'argv = ("cosign", verb)',
        'run("mike", "deploy")',
        'run(("docker", "buildx", "ls"))',
        'argv = (\n    "docker",\n    "buildx",\n    f"{verb}",\n)',
    ],
)
def test_a_command_line_is_found_in_every_spelling(line: str) -> None:
    assert list(command_lines(line))


@pytest.mark.parametrize(
    "line",
    [
        'ask_for_help("cosign")',
        'check = "git", lambda: ask()',
        'def ask(): ...\nCHECKS = (("git", ask),)',
        'argv = ("docker", "run", image)',
        'PROGRAMS = ("docker", "git")',
        'names = ("docker", "buildx")',
    ],
)
def test_other_words_are_let_through(line: str) -> None:
    assert not list(command_lines(line))


def test_no_command_line_of_a_tool_stands_anywhere_else() -> None:
    places: list[str] = []
    modules = 0
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE)
        if name.parts[0] in OWNERS:
            continue
        modules += 1
        for line in command_lines(path.read_text(encoding="utf-8")):
            places.append(f"{name}:{line}")
    assert modules > 80
    assert not places, "move the words into a function in src/shipway/tools/"

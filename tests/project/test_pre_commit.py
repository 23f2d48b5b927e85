"""The hooks of a commit (read as data): pinned, in the versions of the checks, and the same on every system."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")

Node = dict[str, Any]
"""A mapping of a YAML document; Any, since pre-commit's settings have no types here."""


def repositories() -> list[Node]:
    """The repositories that hooks come from."""
    document: Node = yaml.safe_load(TEXT)
    repos: list[Node] = document["repos"]
    return repos


def local_hooks() -> list[Node]:
    """The hooks that run the project's own tools."""
    hooks: list[Node] = []
    for repository in repositories():
        if repository["repo"] == "local":
            hooks += repository["hooks"]
    return hooks


def locked() -> dict[str, str]:
    """The versions that the session `lint` installs, by package."""
    text = (ROOT / "requirements/lint.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def test_the_projects_own_tools_are_its_formatter_and_its_quick_linter() -> None:
    assert [hook["id"] for hook in local_hooks()] == ["ruff-format", "flake8"]


@pytest.mark.parametrize("hook", local_hooks(), ids=lambda hook: str(hook["id"]))
def test_a_tool_has_the_version_that_the_checks_have(hook: Node) -> None:
    (requirement,) = hook["additional_dependencies"]
    package, _, version = requirement.partition("==")
    assert hook["entry"].split()[0] == package
    assert locked()[package] == version


@pytest.mark.parametrize("hook", local_hooks(), ids=lambda hook: str(hook["id"]))
def test_a_tool_needs_nothing_that_only_one_system_has(hook: Node) -> None:
    assert hook["language"] == "python"
    assert "/" not in hook["entry"]


def test_what_comes_from_elsewhere_is_pinned_to_a_commit_with_its_version_beside_it() -> None:
    remote = [repository for repository in repositories() if repository["repo"] != "local"]
    pins = re.findall(r"^    rev: [0-9a-f]{40} # frozen: v\d+\.\d+\.\d+$", TEXT, re.MULTILINE)
    assert remote and len(pins) == len(remote)


def test_ruff_formats_and_lints_nothing() -> None:
    assert [
        hook["entry"].split()[1] for hook in local_hooks() if hook["id"].startswith("ruff")
    ] == ["format"]

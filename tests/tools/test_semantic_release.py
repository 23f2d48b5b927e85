"""What python-semantic-release is asked and told; what it answers is in `test_history.py`."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from shipway.settings import ReleaseSettings
from shipway.tools.semantic_release import next_version, render_config, render_own_config


def read_config(release: ReleaseSettings, repository: str, *, inside: bool) -> Any:  # Any: JSON
    """Give what the rendered settings say."""
    return json.loads(render_config(release, repository, inside=inside))["semantic_release"]


def test_the_question_names_the_clone_the_settings_and_the_level() -> None:
    question = next_version("/clone", "/settings/release.json", "minor")
    assert question.effect == "read"
    assert (question.folder, question.config) == ("/clone", "/settings/release.json")
    assert question.level == "minor"


def test_settings_for_a_project_without_its_own() -> None:
    settings = read_config(ReleaseSettings(branches=("main", "1.x")), "", inside=False)
    match = settings["branches"]["release"]["match"]
    matched = [name for name in ("main", "1.x", "1ax", "mainline") if re.match(match, name)]
    assert matched == ["main", "1.x"]
    assert settings["remote"]["url"] == "https://github.com/owner/name.git"
    assert settings["version_toml"] == ["pyproject.toml:project.version"]
    assert "path_filters" not in str(settings)


def test_settings_for_a_project_in_a_folder_of_its_repository() -> None:
    alone = read_config(ReleaseSettings(tag_format="app-v{version}"), "acme/toy", inside=True)
    assert alone["commit_parser"] == "conventional-monorepo"
    assert alone["commit_parser_options"] == {"path_filters": ["."]}
    assert alone["tag_format"] == "app-v{version}"
    shared = ReleaseSettings(paths=(".", "../common"), tag_only=True)
    more = read_config(shared, "acme/toy", inside=True)
    assert more["commit_parser_options"] == {"path_filters": [".", "../common"]}
    assert not more["version_toml"]


@pytest.mark.parametrize(
    ("changelog", "patterns"),
    [(None, 1), ({"mode": "init"}, 1), ({"exclude_commit_patterns": ["^chore"]}, 2)],
)
def test_no_changelog_tells_of_release_commits(changelog: object, patterns: int) -> None:
    table = {} if changelog is None else {"changelog": changelog}
    for text in (
        render_own_config(table, "acme/toy"),
        render_config(ReleaseSettings(), "", inside=False),
    ):
        *own, pattern = json.loads(text)["semantic_release"]["changelog"]["exclude_commit_patterns"]
        assert re.match(pattern, "chore(release): toy-v1.0.0-rc.1 [skip ci]\n")
        assert not re.match(pattern, "chore(release): by hand")
        assert len(own) in (0, patterns - 1)


def test_links_lead_to_the_repository_unless_the_project_says_otherwise() -> None:
    def read_remote(table: dict[str, object], repository: str) -> Any:  # Any: a JSON document
        return json.loads(render_own_config(table, repository))["semantic_release"]["remote"]

    assert read_remote({}, "acme/toy")["url"] == "https://github.com/acme/toy.git"
    assert read_remote({}, "") == {}
    gitea = {"type": "gitea", "domain": "git.example"}
    assert read_remote({"remote": gitea}, "acme/toy") == gitea

"""What python-semantic-release is asked and told."""

from __future__ import annotations

import tomllib

import pytest

from shipway.errors import StepFailed
from shipway.model.actions import Answer
from shipway.model.release import Decision
from shipway.settings import ReleaseSettings
from shipway.tools.semantic_release import read_decision, render_config


def test_what_is_due() -> None:
    assert read_decision(Answer(code=0, out='{"current": "", "next": "0.1.0"}')) == Decision(
        "", "0.1.0"
    )


@pytest.mark.parametrize(
    "said", ["branch 'x' isn't in any release groups; no release will be made", ""]
)
def test_a_branch_that_it_does_not_release_is_an_error_not_nothing_due(said: str) -> None:
    with pytest.raises(StepFailed, match="gave no version"):
        read_decision(Answer(code=1, err=said))


def test_settings_for_a_project_without_its_own() -> None:
    text = render_config(ReleaseSettings(branches=("main", "1.x")), "", inside=False)
    assert r"match = '(main|1\.x)'" in text and "owner/name" in text and "path_filters" not in text


def test_settings_for_a_project_in_a_folder_of_its_repository() -> None:
    alone = tomllib.loads(
        render_config(ReleaseSettings(tag_format="app-v{version}"), "acme/toy", inside=True)
    )
    assert alone["semantic_release"]["commit_parser"] == "conventional-monorepo"
    assert alone["semantic_release"]["commit_parser_options"] == {"path_filters": ["."]}
    more = render_config(
        ReleaseSettings(paths=(".", "../common"), tag_only=True), "acme/toy", inside=True
    )
    assert tomllib.loads(more)["semantic_release"]["commit_parser_options"] == {
        "path_filters": [".", "../common"]
    }
    assert not tomllib.loads(more)["semantic_release"]["version_toml"]

"""How the answers of GitHub's API are read."""

from __future__ import annotations

import json

import pytest

from shipway.errors import StepFailed
from shipway.model.actions import Answer, Request
from shipway.tools.github import find_latest_release, list_package_versions, list_releases
from tests.support.conversation import Script


def reply(document: object, code: int = 200) -> tuple[Answer]:
    return (Answer(code=code, out=json.dumps(document)),)


def asked(script: Script) -> list[str]:
    paths = []
    for question in script.questions:
        assert isinstance(question, Request)
        paths.append(question.path)
    return paths


def test_releases_are_listed_until_each_tag_was_there() -> None:
    others = [{"tag_name": f"v0.{number}"} for number in range(100)]
    script = Script(reply(others), reply([*others[:99], {"tag_name": "v1"}]))
    assert len(list_releases("acme/orders", ("v1", "v0.3"), script)) == 200
    assert asked(script) == [
        "/repos/acme/orders/releases?per_page=100&page=1",
        "/repos/acme/orders/releases?per_page=100&page=2",
    ]


def test_a_repository_that_shows_no_release() -> None:
    assert find_latest_release("acme/orders", Script(reply({}, 404))) is None


def test_the_versions_of_a_package_are_those_of_its_owner() -> None:
    script = Script(reply({}, 404), reply([{"id": 7, "name": "sha256:1", "url": "…"}]))
    versions = list_package_versions("acme", "shop/orders", script)
    place = "/users/acme/packages/container/shop%2Forders/versions"
    assert list(versions) == [("sha256:1", f"{place}/7")]
    assert asked(script) == [
        "/orgs/acme/packages/container/shop%2Forders/versions?per_page=100&page=1",
        f"{place}?per_page=100&page=1",
    ]


@pytest.mark.parametrize("out", ["", "<html>", "{}", "[1]", "[" * 100_000])
def test_an_answer_that_is_none_of_the_api_s(out: str) -> None:
    answer = (Answer(code=200, out=out),)
    with pytest.raises(StepFailed, match="gave no answer of GitHub's API") as caught:
        list_releases("acme/orders", ("v1",), Script(answer))
    assert "GITHUB_API_URL" in caught.value.hint


def test_a_version_of_a_package_without_a_number_is_no_answer() -> None:
    versions = list_package_versions("acme", "orders", Script(reply([{"name": "sha256:1"}])))
    with pytest.raises(StepFailed, match="missing required field `id`"):
        list(versions)

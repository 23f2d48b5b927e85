"""What an image would show to everybody, as it is known before the build."""

from __future__ import annotations

import pytest

from shipway.settings import BuildSettings, Project, Settings
from shipway.target.context import Context
from shipway.target.plan import find_exposed, plan_target

LOGIN = "https://ann:s3cret@pypi.example/simple"
CONTEXT = Context(event="push", branch="main", commit="c" * 40, repository="acme/toy")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--build-arg=PIP_INDEX_URL",),
        ("--no-cache", "--build-arg", "PIP_INDEX_URL"),
        (f"--build-arg=PIP_INDEX_URL={LOGIN}",),
        ("--annotation", f"PIP_INDEX_URL={LOGIN}"),
        (f"--label=PIP_INDEX_URL={LOGIN}",),
    ],
)
def test_arguments_and_the_variables_that_they_name(arguments: tuple[str, ...]) -> None:
    build = BuildSettings(extra_args=arguments)
    assert find_exposed(build, {}, {"PIP_INDEX_URL": LOGIN}) == ("PIP_INDEX_URL",)


def test_a_variable_that_no_argument_names_is_not_shown() -> None:
    build = BuildSettings(
        args={"PIP_INDEX_URL": "https://pypi.example"},
        extra_args=("--build-arg=OTHER", "--secret=id=x,env=PIP_INDEX_URL"),
    )
    assert not find_exposed(build, {}, {"PIP_INDEX_URL": LOGIN, "OTHER": "1"})


def test_the_target_names_arguments_and_labels() -> None:
    settings = Settings(build=BuildSettings(extra_args=("--build-arg=PIP_INDEX_URL",)))
    project = Project(name="toy", version="1.0.0", url=LOGIN, settings=settings)
    target = plan_target(project, CONTEXT, {"PIP_INDEX_URL": LOGIN}, "/x")
    assert target.build.exposed == ("PIP_INDEX_URL", "org.opencontainers.image.url")
    assert not plan_target(project, CONTEXT, {}, "/x").build.exposed[1:]

"""Settings: every problem at once, each with its place."""

from __future__ import annotations

import pytest

from shipway.errors import SettingsError
from shipway.settings import Project, parse_project

MINIMAL = '[project]\nname = "toy"\nversion = "1.2.3"\n'


def fails(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse_project(text)
    assert caught.value.status == 2 and caught.value.hint
    return caught.value.message


def test_a_conventional_project_needs_no_settings() -> None:
    project = parse_project(MINIMAL)
    assert (project.name, project.version, project.settings.image) == ("toy", "1.2.3", "")
    assert project.settings.build.platforms == ("linux/amd64", "linux/arm64")
    assert project.settings.release.branches == ("main",)


def test_metadata_for_labels_is_read() -> None:
    project = parse_project(
        MINIMAL
        + 'description = "A toy"\nlicense = "MIT"\n[project.urls]\nRepository = "https://x.example"'
        '\nDocumentation = "https://d.example"\n[tool.semantic_release]\n'
    )
    assert project == Project(
        name="toy",
        version="1.2.3",
        description="A toy",
        licenses="MIT",
        url="https://x.example",
        documentation="https://d.example",
    )


def test_a_dynamic_version_is_no_problem_of_the_settings() -> None:
    project = parse_project('[project]\nname = "toy"\ndynamic = ["version"]\n')
    assert project.version == ""


def test_a_license_table_is_no_expression() -> None:
    assert parse_project(MINIMAL + 'license = {text = "MIT"}\n').licenses == ""


def test_every_problem_is_reported_at_once_with_place_and_nearest_name() -> None:
    message = fails(
        MINIMAL + '[tool.shipway]\nimage = 3\nwhatever = 1\n[tool.shipway.build]\nargs = "x"\n'
        'platfroms = ["linux/amd64"]\n[tool.shipway.docs]\nenabled = "yes"\n'
    )
    assert "5 problems" in message
    assert "tool.shipway.image: Expected `str`, got `int`, not 3" in message
    assert "tool.shipway.whatever: unknown; known are image, remote" in message
    assert "tool.shipway.build.platfroms: unknown; did you mean 'platforms'?" in message
    assert "tool.shipway.build.args: Expected `object`, got `str`" in message
    assert "tool.shipway.docs.enabled: Expected `bool | null`, got `str`" in message


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('[tool.shipway.build]\nplatforms = ["amd64"]', "'amd64' is not like 'linux/amd64'"),
        ("[tool.shipway.build]\nplatforms = []", "at least one platform"),
        ('[tool.shipway.build]\nplatforms = ["unknown/unknown"]', "is not like 'linux/amd64'"),
        ('[tool.shipway.build]\nplatforms = ["linux/armv7l"]', "did you mean 'linux/arm/v7'?"),
        ('[tool.shipway.build]\nextra-args = ["--platform=linux/386"]', "named in `platforms`"),
        ('[tool.shipway.build]\nextra-args = ["--platform", "linux/386"]', "named in `platforms`"),
        (
            '[tool.shipway.builder]\nnodes = {"linux/armv8" = "tcp://a"}',
            "did you mean 'linux/arm64'?",
        ),
        (
            '[tool.shipway.builder]\nnodes = {"linux/arm64" = "tcp://a", "linux/aarch64" = "tcp://b"}',
            "'linux/aarch64' and 'linux/arm64' are both linux/arm64",
        ),
        ('[tool.shipway.build.args]\nPIP_TOKEN = "x"', "'PIP_TOKEN' looks like a secret"),
        ('[tool.shipway.build.args]\nGPG_PASSPHRASE = "x"', "'GPG_PASSPHRASE' looks like a"),
        ('[tool.shipway.build.args]\nNPM_AUTH = "x"', "'NPM_AUTH' looks like a secret"),
        ('[tool.shipway.build.args]\nINDEX = "https://a:s3cret@h/x"', "args: 'INDEX' looks like"),
        (
            '[tool.shipway.build]\nextra-args = ["--build-arg=A=https://a:s3cret@h"]',
            "args: 'A' looks",
        ),
        ('[tool.shipway.build]\nextra-args = ["--build-arg", "PIP_TOKEN"]', "'PIP_TOKEN' looks"),
        (
            '[tool.shipway.build]\nextra-args = ["--label", "a=https://a:s3cret@h"]',
            "'a' looks like",
        ),
        (
            '[tool.shipway.build]\nextra-args = ["--cache-from=https://a:s3cret@h"]',
            "'--cache-from' ",
        ),
        (
            '[tool.shipway.builder.options]\n"env.a" = "http://a:s3cret@h"',
            "options.env.a: it holds",
        ),
        ('[tool.shipway]\nimage = "https://a:s3cret@h"', "tool.shipway.image: it holds a secret"),
        ('[tool.shipway]\nimage = ["https://a:s3cret@h"]', "not ['https://***@h']"),
        ('[tool.shipway]\nimage = "ghcr.io/Acme/Toy"', "is not a lower-case image name"),
        ('[tool.shipway]\nimage = "ghcr.io/acme/toy:v1"', "without tag"),
        ('[tool.shipway]\nimage = "ghcr.io/acme/toy_"', "is not a lower-case image name"),
        ('[tool.shipway.cache]\nref = "a/b:c,mode=max"', "'a/b:c,mode=max' is not the name"),
        ('[tool.shipway.build]\nsbom-generator = "A@sha256:1"', "name it by digest"),
        ('[tool.shipway]\nremote = "--upload-pack=x"', "does not begin with '-'"),
        ('[tool.shipway.release]\ntag-format = "v"', "contain '{version}'"),
        ('[tool.shipway.release]\ntag-format = "{version}{version}"', "once"),
        ('[tool.shipway.release]\ntag-format = "v{version}{x}"', "git allows no tag like"),
        ("[tool.shipway.release]\ntag-format = 'a\\{version}'", "git allows no tag like"),
        ('[tool.shipway.release]\ntag-format = "-{version}"', "git allows no tag like"),
        ('[tool.shipway.release]\ntag-format = "v {version}"', "git allows no tag like"),
        ("[tool.shipway.release]\nbranches = []", "at least one branch"),
        ("[tool.shipway.prune]\ndays = 0", "prune.days: Expected `int` >= 1, not 0"),
        ("[tool]\nshipway = 1", "a table is expected"),
    ],
)
def test_bad_values_are_named(settings: str, said: str) -> None:
    message = fails(MINIMAL + settings)
    assert said in message and "s3cret" not in message


def test_what_a_build_is_given_may_have_ordinary_values() -> None:
    settings = parse_project(
        MINIMAL + '[tool.shipway.build]\nargs = {REPOSITORY = "git@github.com:acme/toy.git"}\n'
        'extra-args = ["--build-arg", "INDEX", "--label=token=none", "--no-cache", "--add-host=a:b"]'
    ).settings
    assert len(settings.build.extra_args) == 5


def test_platforms_have_one_name_and_each_is_there_once() -> None:
    settings = parse_project(
        MINIMAL
        + '[tool.shipway.build]\nplatforms = ["linux/arm64/v8", "Linux/x86_64", "linux/aarch64"]\n'
        '[tool.shipway.builder]\ndriver = "remote"\n'
        'nodes = {"linux/amd64/v1, linux/i386" = "tcp://a:1", "linux/armhf,linux/arm" = "tcp://b:1"}'
    ).settings
    assert settings.build.platforms == ("linux/arm64", "linux/amd64")
    assert settings.builder.nodes == {
        "linux/amd64,linux/386": "tcp://a:1",
        "linux/arm/v7": "tcp://b:1",
    }


def test_a_registry_with_a_port_is_a_good_image_name() -> None:
    assert parse_project(
        MINIMAL + '[tool.shipway]\nimage = "127.0.0.1:5000/acme/toy"'
    ).settings.image.endswith("/acme/toy")


def test_a_file_that_is_no_toml_is_told_with_its_line() -> None:
    assert "line 1" in fails("x = = 1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no [project] table"),
        ("[project]\nversion = '1'", "project.name: missing"),
        ("[project]\nname = 'x'", "project.version: missing"),
    ],
)
def test_missing_metadata_is_told(text: str, said: str) -> None:
    assert said in fails(text)

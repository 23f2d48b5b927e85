"""What a consumer expects of an image whose name is all that he has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipway.errors import ContextError
from shipway.image.labels import REVISION, SOURCE, TITLE, VERSION, WORKFLOW_COMMIT
from shipway.image.reference import Reference, parse_reference
from shipway.model.target import Signer
from shipway.settings import GITHUB_ISSUER, Settings, SignSettings
from shipway.settings.policy_file import Limits
from shipway.target.context import Context
from shipway.target.from_image import Expectation, plan_expected, plan_expected_signer
from shipway.target.plan import plan_build, plan_signer
from tests.support.model_remotes import digest_of

IMAGE = parse_reference("ghcr.io/acme/app:v1.2.3")
DIGEST = digest_of("x")


class TestReferences:
    """Names of images."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("ghcr.io/acme/app:v1.2.3", Reference(name="ghcr.io/acme/app", tag="v1.2.3")),
            (f"ghcr.io/acme/app@{DIGEST}", Reference(name="ghcr.io/acme/app", digest=DIGEST)),
            (
                f"127.0.0.1:5000/a/b-c/d_e:x@{DIGEST}",
                Reference(name="127.0.0.1:5000/a/b-c/d_e", tag="x", digest=DIGEST),
            ),
            ("acme/app:v1", Reference(name="docker.io/acme/app", tag="v1")),
        ],
    )
    def test_good_ones(self, text: str, expected: Reference) -> None:
        assert parse_reference(text) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "app",
            "ghcr.io/acme/app",
            "ghcr.io/Acme/app:v1",
            "ghcr.io/acme/app:",
            "ghcr.io/acme/app@sha256:12",
            "--help/x:y",
            "ghcr.io/acme/../app:v1",
            "https://ghcr.io/acme/app:v1",
            "ghcr.io/acme/app:v1 --key=x",
            "",
        ],
    )
    def test_bad_ones(self, text: str) -> None:
        with pytest.raises(ContextError):
            parse_reference(text)


class TestIdentity:
    """Whose signature it has to be: exactly."""

    def test_it_is_derived_from_the_image(self) -> None:
        assert plan_expected_signer(
            IMAGE, Expectation(), {WORKFLOW_COMMIT: "5eed", REVISION: "c0ff"}
        ) == Signer(
            identity="https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main",
            issuer=GITHUB_ISSUER,
            repository="acme/app",
            ref="refs/heads/main",
            commit="5eed",
        )

    def test_without_a_word_of_the_workflow_its_commit_is_the_one_that_was_built(self) -> None:
        assert plan_expected_signer(IMAGE, Expectation(), {REVISION: "c0ff"}).commit == "c0ff"
        assert (
            plan_expected_signer(IMAGE, Expectation(commit="5eed"), {REVISION: "c0ff"}).commit
            == "5eed"
        )

    @pytest.mark.parametrize(
        ("source", "repository"),
        [
            ("https://github.com/Acme/App", "Acme/App"),
            ("https://github.com/mallory/app", "acme/app"),
            ("nonsense", "acme/app"),
        ],
    )
    def test_the_image_may_say_how_its_repository_is_written_and_no_more(
        self, source: str, repository: str
    ) -> None:
        found = plan_expected_signer(IMAGE, Expectation(), {SOURCE: source})
        assert found.repository == repository and found.identity.startswith(
            f"https://github.com/{repository}/"
        )

    def test_a_repository_may_have_several_images(self) -> None:
        several = parse_reference("ghcr.io/acme/app/worker:v1")
        assert plan_expected_signer(several, Expectation(), {}).repository == "acme/app"

    def test_a_called_workflow_is_pinned_to_its_caller(self) -> None:
        called = "https://github.com/acme/ci/.github/workflows/ship.yml@refs/tags/v1"
        found = plan_expected_signer(IMAGE, Expectation(identity=called), {})
        assert (found.identity, found.repository, found.ref) == (
            called,
            "acme/app",
            "refs/heads/main",
        )
        other = plan_expected_signer(
            IMAGE, Expectation(identity=called, repository="b/c", ref="refs/heads/next"), {}
        )
        assert (other.repository, other.ref) == ("b/c", "refs/heads/next")

    def test_a_person_has_no_repository(self) -> None:
        wanted = Expectation(identity="me@example.org", issuer="https://accounts.example.org")
        assert plan_expected_signer(IMAGE, wanted, {REVISION: "c0ff"}) == Signer(
            identity="me@example.org", issuer="https://accounts.example.org"
        )

    def test_a_key(self) -> None:
        found = plan_expected_signer(
            IMAGE,
            Expectation(key="cosign.pub", transparency_log=False, trusted_root="root.json"),
            {},
        )
        assert found == Signer(
            key="cosign.pub",
            public_key="cosign.pub",
            transparency_log=False,
            trusted_root="root.json",
        )

    def test_where_nothing_tells_it_somebody_has_to(self) -> None:
        elsewhere = parse_reference("registry.example/acme/app:v1")
        with pytest.raises(ContextError, match="whose signature") as caught:
            plan_expected_signer(
                elsewhere, Expectation(), {SOURCE: "https://github.com/mallory/app"}
            )
        assert "--repository" in caught.value.hint
        assert (
            plan_expected_signer(elsewhere, Expectation(repository="a/b"), {}).repository == "a/b"
        )

    @pytest.mark.parametrize("ci", [True, False])
    def test_a_workflow_writes_down_what_it_ran_on(self, ci: bool) -> None:
        context = Context(event="push", commit="c0ff", repository="acme/app", ci=ci)
        building = plan_build(Settings(), context, {"GITHUB_SHA": "5eed"}, "ghcr.io/acme/app")
        assert building.workflow_commit == ("5eed" if ci else "")

    def test_the_own_pipeline_keeps_the_caller_pinned_too(self) -> None:
        context = Context(event="push", ref="refs/heads/main", repository="acme/app")
        called = Settings(
            sign=SignSettings(
                identity="https://github.com/acme/ci/x.yml@v1", trusted_root="root.json"
            )
        )
        found = plan_signer(called, context, {})
        assert (found.repository, found.ref, found.trusted_root) == (
            "acme/app",
            "refs/heads/main",
            "root.json",
        )
        mine = Settings(sign=SignSettings(identity="me@example.org", issuer="https://x.example"))
        person = plan_signer(mine, context, {})
        assert not person.repository and not person.ref


class TestExpected:
    """What has to hold besides the signature."""

    def test_a_release(self) -> None:
        found = plan_expected(IMAGE, Expectation(), {}, 7)
        assert (
            found.labels == {VERSION: "1.2.3", SOURCE: "https://github.com/acme/app"}
            and found.now == 7
        )
        assert found.builders == ("https://github.com/acme/app/actions/runs/",) and found.named

    def test_limits_take_the_place_of_what_is_derived(self) -> None:
        limits = Limits(
            builders=("b",), platforms=("linux/amd64",), licenses=("MIT",), maximum_age=3
        )
        found = plan_expected(replace(IMAGE, tag="latest"), Expectation(limits=limits), {}, 0)
        assert (found.builders, found.platforms, found.licenses, found.maximum_age) == (
            ("b",),
            ("linux/amd64",),
            ("MIT",),
            3,
        )
        assert VERSION not in found.labels

    def test_the_version_of_a_tag_that_cannot_hold_a_plus(self) -> None:
        assert (
            plan_expected(replace(IMAGE, tag="v1.2.3_a"), Expectation(), {}, 0).labels[VERSION]
            == "1.2.3+a"
        )

    def test_a_key_says_nothing_of_the_builder(self) -> None:
        assert not plan_expected(IMAGE, Expectation(key="k"), {}, 0).builders


@pytest.mark.parametrize(("name", "version"), [("v1.2.3", "1.2.3"), ("main", ""), ("v1.0_a", "")])
def test_of_a_release_the_project_is_expected_in_the_version_of_the_tag(
    name: str, version: str
) -> None:
    image = parse_reference(f"ghcr.io/acme/app:{name}")
    expected = plan_expected(image, Expectation(), {TITLE: "my-app"}, now=0)
    assert (expected.distribution, expected.version) == ("my-app", version)


@pytest.mark.parametrize(
    ("tag", "annotation", "version"),
    [
        ("v1.2.3_build.5", "", "1.2.3+build.5"),
        ("v1.2.3_build.5", "1.2.3+build.5", "1.2.3+build.5"),
        ("v1.2.3-build.5", "1.2.3+build.5", "1.2.3+build.5"),
        ("v1.2.3-build.5", "1.2.3-build.5", "1.2.3-build.5"),
        ("v1.2.3-build.5", "1.2.3", "1.2.3-build.5"),
        ("v1.2.3", "1.2.3+build.5", "1.2.3"),
        ("latest", "1.2.3+build.5", ""),
    ],
)
def test_the_version_that_a_tag_stands_for(tag: str, annotation: str, version: str) -> None:
    reference = replace(IMAGE, tag=tag)
    expected = plan_expected(reference, Expectation(), {VERSION: annotation}, 0)
    assert expected.version == version and expected.labels.get(VERSION, "") == version

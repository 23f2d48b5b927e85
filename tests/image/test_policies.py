"""Attacks and accidents on an image as pure data: each is refused, and the point that it breaks is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from shipway.image.contents import PROVENANCE, SPDX, Contents, Statement
from shipway.image.index import Entry, Index, parse_index
from shipway.image.labels import REVISION, SOURCE, VERSION
from shipway.image.policies import Evidence, Expected, content_policy, strict_policy
from shipway.model.actions import Json
from tests.support.model_remotes import contents_of, digest_of, manifest, provenance_of

COMMIT, OTHER = "c" * 40, "d" * 40
LABELS = {VERSION: "1.2.3", REVISION: COMMIT, SOURCE: "https://github.com/acme/toy"}
INDEX = parse_index(json.dumps(manifest("x", ("linux/amd64", "linux/arm64"))))
ARM = INDEX.images[1].digest
EXPECTED = Expected(
    platforms=("linux/amd64", "linux/arm64"),
    labels={VERSION: "1.2.3"},
    named=(REVISION, VERSION, SOURCE),
    source="https://github.com/acme/toy",
    builders=("https://github.com/acme/toy/actions/runs/",),
    licenses=("MIT",),
    maximum_age=30,
    now=1_768_000_000,
)
CONTENTS = contents_of(INDEX, LABELS, 3)


def evidence(index: Index = INDEX, contents: Contents = CONTENTS, **changes: object) -> Evidence:
    """A good image, with changes."""
    good = Evidence(
        index=index,
        contents=contents,
        reference="registry.example/acme/toy:v1.2.3",
        signers={digest: (True, "signed") for digest in index.leaves_first},
        resolved=index.digest,
    )
    return replace(good, **changes)  # type: ignore[arg-type]


def faults(image: Evidence, expected: Expected = EXPECTED) -> set[str]:
    """Names of the points that do not hold."""
    return {point.name for point in strict_policy(expected).check(image) if not point.holds}


def stated(kind: str, **changes: object) -> Contents:
    """The good content with changes to what is said of arm64."""

    def change(one: Statement) -> Statement:
        return msgspec.structs.replace(one, **changes) if one.type.startswith(kind) else one

    return msgspec.structs.replace(
        CONTENTS,
        attestations=tuple(
            msgspec.structs.replace(one, statements=tuple(change(each) for each in one.statements))
            if one.subject == ARM
            else one
            for one in CONTENTS.attestations
        ),
    )


def built(**changes: Json) -> Contents:
    """The good content with another provenance of arm64."""
    return stated(PROVENANCE, build=provenance_of(COMMIT, **changes))


def of_arm(**changes: object) -> Contents:
    """The good content with another image of arm64."""
    return msgspec.structs.replace(
        CONTENTS,
        platforms={
            **CONTENTS.platforms,
            "linux/arm64": msgspec.structs.replace(CONTENTS.platforms["linux/arm64"], **changes),
        },
    )


def with_entries(*more: Entry) -> Evidence:
    """The good image with further entries in its index, all signed."""
    return evidence(index=replace(INDEX, entries=(*INDEX.entries, *more)))


def test_a_good_image_holds_in_every_point_and_each_says_what_was_seen() -> None:
    points = [*strict_policy(EXPECTED).check(evidence())]
    assert all(point.holds and point.observation for point in points), points
    assert len({point.name for point in points}) == len(points)


def attacks() -> Iterator[tuple[str, Evidence, str]]:
    """What is done to the image, the image, and the point that has to name it."""
    unsigned = {digest: (digest != ARM, "no signatures found") for digest in INDEX.leaves_first}
    yield "an unsigned image", evidence(signers={}), f"signature of {INDEX.digest[:19]} (the index)"
    yield (
        "a child that is not signed",
        evidence(signers=unsigned),
        f"signature of {ARM[:19]} (linux/arm64)",
    )
    swapped = Entry(digest=digest_of("evil"), platform="linux/arm64")
    entries = tuple(swapped if one.digest == ARM else one for one in INDEX.entries)
    yield (
        "a child that was swapped",
        evidence(replace(INDEX, entries=entries), signers=evidence().signers),
        f"signature of {swapped.digest[:19]} (linux/arm64)",
    )
    yield (
        "attestations of the child that was swapped",
        evidence(replace(INDEX, entries=entries)),
        "attestations of linux/arm64",
    )
    yield (
        "two attestation manifests",
        with_entries(Entry(digest=digest_of("two"), subject=ARM)),
        "attestations of linux/arm64",
    )
    yield (
        "an attestation manifest of another image",
        with_entries(Entry(digest=digest_of("s"), subject=digest_of("elsewhere"))),
        "attestation subjects",
    )
    yield (
        "a platform twice",
        with_entries(Entry(digest=digest_of("t"), platform="linux/arm64")),
        "platforms",
    )
    yield (
        "a platform too many",
        with_entries(Entry(digest=digest_of("t"), platform="linux/386")),
        "platforms",
    )
    yield "no index", evidence(Index(digest=digest_of("one"), entries=())), "digest"
    for kind, name in ((PROVENANCE, "provenance"), (SPDX, "an SBOM")):
        yield (
            f"{name} of another digest",
            evidence(contents=stated(kind, subjects=(digest_of("elsewhere"),))),
            "subjects of linux/arm64",
        )
        yield (
            f"{name} of another digest as well",
            evidence(contents=stated(kind, subjects=(ARM, digest_of("elsewhere")))),
            "subjects of linux/arm64",
        )
    yield "an empty SBOM", evidence(contents=stated(SPDX, packages=())), "SBOM of linux/arm64"
    yield (
        "an SBOM that leaves a distribution out",
        evidence(contents=of_arm(distributions=(("package_0", "1.0"), ("evil", "6.6")))),
        "SBOM of linux/arm64 names what is installed",
    )
    for license_ in ("", "NOASSERTION", "GPL-3.0-only", "MIT AND Elastic-2.0"):
        yield (
            f"the license {license_!r}",
            evidence(contents=stated(SPDX, packages=(("package-0", "1.0", license_),))),
            "licenses of linux/arm64",
        )
    yield (
        "no provenance",
        evidence(contents=stated(PROVENANCE, build={})),
        "provenance of linux/arm64",
    )
    for builder in (
        "",
        "https://github.com/mallory/toy/actions/runs/1",
        "https://github.com/acme/toy/actions/runs",
        "https://github.com/acme/toy/actions/runs/../../../mallory",
    ):
        yield (
            f"the builder {builder!r}",
            evidence(contents=built(builder={"id": builder})),
            "provenance of linux/arm64",
        )
    yield (
        "another type of build",
        evidence(contents=built(buildType="by-hand")),
        "provenance of linux/arm64",
    )
    yield (
        "provenance of another commit",
        evidence(contents=built(revision=OTHER)),
        "source of linux/arm64",
    )
    yield "provenance of no commit", evidence(contents=built(revision="")), "source of linux/arm64"
    yield (
        "provenance of another repository",
        evidence(contents=built(source="https://github.com/mallory/toy")),
        "source of linux/arm64",
    )
    yield (
        "provenance of another server",
        evidence(contents=built(source="https://github.example/acme/toy")),
        "source of linux/arm64",
    )
    yield (
        "a material that no digest pins",
        evidence(contents=built(resolvedDependencies=[{"uri": "docker.io/python:3.13"}])),
        "materials of linux/arm64",
    )
    yield (
        "no materials",
        evidence(contents=built(resolvedDependencies=[])),
        "materials of linux/arm64",
    )
    for argument in ("PIP_TOKEN", "GPG_PASSPHRASE", "NPM_AUTH", "PRIVATE_INDEX"):
        parameters: Json = {"request": {"args": {f"build-arg:{argument}": "x"}}}
        yield (
            f"the secret {argument} among the arguments",
            evidence(contents=built(externalParameters=parameters)),
            "arguments of linux/arm64",
        )
    for value in ("https://ann:s3cret@pypi.example/simple", "ghp_" + "a1B2" * 9):
        parameters = {"request": {"args": {"build-arg:PIP_INDEX_URL": value}}}
        yield (
            f"an argument whose value is {value[:5]}…",
            evidence(contents=built(externalParameters=parameters)),
            "arguments of linux/arm64",
        )
        meta: Json = {"request": {"root": {"meta": {"env": ["A=b", f"HTTP_PROXY={value}"]}}}}
        yield (
            f"a variable of a step whose value is {value[:5]}…",
            evidence(contents=built(externalParameters=meta)),
            "secrets of linux/arm64",
        )
        annotated = {**LABELS, "org.example.index": value}
        yield (
            f"an annotation whose value is {value[:5]}…",
            evidence(contents=msgspec.structs.replace(CONTENTS, annotations=annotated)),
            "secrets of the index",
        )
    yield (
        "a secret in the configuration",
        evidence(contents=of_arm(leaks=("env PIP_INDEX_URL",))),
        "secrets of linux/arm64",
    )
    yield (
        "an old build",
        evidence(contents=built(finishedOn="2025-01-02T03:04:05Z")),
        "age of linux/arm64",
    )
    yield (
        "a build of an unknown time",
        evidence(contents=built(finishedOn="soon")),
        "age of linux/arm64",
    )
    yield (
        "a build from the future",
        evidence(contents=built(finishedOn="2027-01-02T03:04:05Z")),
        "age of linux/arm64",
    )
    for label in LABELS:
        yield (
            f"another {label}",
            evidence(contents=of_arm(labels={**LABELS, label: "x"})),
            "labels of linux/arm64",
        )
        yield (
            f"no {label}",
            evidence(
                contents=msgspec.structs.replace(
                    CONTENTS,
                    annotations={key: value for key, value in LABELS.items() if key != label},
                )
            ),
            "annotations",
        )
    yield (
        "another version everywhere",
        evidence(contents=contents_of(INDEX, {**LABELS, VERSION: "1.2.2"}, 3)),
        "annotations",
    )
    yield (
        "a compiled file for another machine",
        evidence(contents=of_arm(foreign=("deps/a.so",))),
        "compiled files of linux/arm64",
    )
    for resolved in (digest_of("another"), ""):
        yield (
            f"a tag that moved to {resolved[:9] or 'nothing'}",
            evidence(resolved=resolved),
            "registry.example/acme/toy:v1.2.3 still there",
        )


@pytest.mark.parametrize(
    ("image", "point"), [pytest.param(image, point, id=name) for name, image, point in attacks()]
)
def test_an_attack_is_refused_and_the_point_is_named(image: Evidence, point: str) -> None:
    assert point in faults(image)


def test_a_secret_is_named_and_its_value_is_not() -> None:
    value = "https://ann:s3cret@pypi.example/simple"
    parameters: Json = {
        "request": {"args": {"build-arg:INDEX": value}, "meta": {"env": [f"HTTP_PROXY={value}"]}}
    }
    contents = built(externalParameters=parameters)
    points = list(strict_policy(EXPECTED).check(evidence(contents=contents)))
    lines = [point.render() for point in points if not point.holds]
    assert lines == [
        "arguments of linux/arm64: look like secrets: INDEX",
        "secrets of linux/arm64: in meta env HTTP_PROXY",
    ]


@pytest.mark.parametrize(
    ("expected", "observation"),
    [
        (("linux/amd64",), "linux/amd64, linux/arm64; expected: linux/amd64"),
        (
            ("linux/amd64", "linux/arm64", "linux/s390x"),
            "linux/amd64, linux/arm64; expected: linux/amd64, linux/arm64, linux/s390x",
        ),
    ],
)
def test_platforms_say_what_was_expected(expected: tuple[str, ...], observation: str) -> None:
    points = strict_policy(Expected(platforms=expected)).check(evidence())
    (point,) = [point for point in points if point.name == "platforms"]
    assert not point.holds and point.observation == observation


def test_a_system_whose_version_nobody_expects_may_have_any() -> None:
    entry = Entry(digest=digest_of("w"), platform="windows(10.0.17763.1)/amd64")
    image = with_entries(entry)
    for name in ("windows/amd64", "windows(10.0.17763)/amd64", "windows(10.0.17763.1)/amd64"):
        assert "platforms" not in faults(
            image, replace(EXPECTED, platforms=(*EXPECTED.platforms, name))
        )
    for name in ("windows(10.0.1776)/amd64", "windows(10.0.20348)/amd64", "windows/arm64"):
        assert "platforms" in faults(
            image, replace(EXPECTED, platforms=(*EXPECTED.platforms, name))
        )


def test_what_calls_itself_an_attestation_and_can_be_run_is_an_image() -> None:
    found = manifest("x", ("linux/amd64",))
    entries = found["manifests"]
    assert isinstance(entries, list) and isinstance(entries[0], dict)
    entries.append(
        {
            "digest": digest_of("evil"),
            "platform": {"os": "linux", "architecture": "amd64"},
            "annotations": {"vnd.docker.reference.digest": entries[0]["digest"]},
        }
    )
    index = parse_index(json.dumps(found))
    assert index.platforms == ("linux/amd64", "linux/amd64")
    assert {"platforms", "attestations of linux/amd64"} <= faults(
        evidence(index), replace(EXPECTED, platforms=())
    )


def test_what_is_not_known_beforehand_has_only_to_be_consistent() -> None:
    assert not faults(evidence(), Expected())
    assert faults(evidence(contents=built(builder={"id": ""})), Expected()) == set()
    assert faults(evidence(contents=built(revision=OTHER)), Expected()) == {"source of linux/arm64"}


def test_limits_that_nobody_set_are_no_points() -> None:
    names = {point.name for point in content_policy(Expected()).check(evidence())}
    assert not [name for name in names if name.startswith(("licenses", "age"))]


def test_the_older_version_of_a_provenance_says_the_same() -> None:
    old: dict[str, Any] = {  # Any: JSON
        "buildType": "https://mobyproject.org/buildkit@v1",
        "builder": {"id": EXPECTED.builders[0] + "7"},
        "materials": [{"uri": "pkg:docker/python@3.13", "digest": {"sha256": "ab" * 32}}],
        "invocation": {
            "parameters": {"args": {f"label:{SOURCE}": LABELS[SOURCE], "build-arg:EXTRA": "dev"}}
        },
        "metadata": {
            "buildFinishedOn": "2026-01-02T03:04:05.678901234Z",
            "https://mobyproject.org/buildkit@v1#metadata": {"vcs": {"revision": COMMIT}},
        },
    }
    assert not faults(evidence(contents=stated(PROVENANCE, build=old)))
    old["metadata"]["https://mobyproject.org/buildkit@v1#metadata"]["vcs"]["source"] = (
        "/srv/origin.git"
    )
    assert not faults(evidence(contents=stated(PROVENANCE, build=old)))
    old["materials"] = "none"
    assert faults(evidence(contents=stated(PROVENANCE, build=old))) == {"materials of linux/arm64"}


def installed(version: str, **changes: str) -> set[str]:
    """Give the points that do not hold where the project ``My.App`` is installed on arm64."""
    expected = replace(EXPECTED, distribution="my-app", version=changes.pop("release", "1.2.3"))
    contents = of_arm(distributions=(("My.App", version), ("package_0", "1.0")))
    named = (("My.App", version, "MIT"), ("package-0", "1.0", "MIT"))
    sbom = stated(SPDX, packages=named).attestations
    contents = msgspec.structs.replace(contents, attestations=sbom)
    return faults(evidence(contents=contents), expected)


@pytest.mark.parametrize(
    ("version", "release"),
    [("1.2.3", "1.2.3"), ("1.2.3rc1", "1.2.3-rc.1"), ("1.2.3-odd.1", "1.2.3-odd.1")],
)
def test_the_project_may_be_installed_in_the_version_of_the_release(
    version: str, release: str
) -> None:
    assert not installed(version, release=release)


@pytest.mark.parametrize("version", ["1.2.2", "1.2.3rc1", "1.2.4.dev0+g1234", "", "odd"])
def test_the_project_in_another_version_is_a_fault(version: str) -> None:
    assert installed(version) == {"version of my-app in linux/arm64"}


def test_the_sbom_may_name_the_project_where_no_layer_holds_it() -> None:
    expected = replace(EXPECTED, distribution="my-app", version="1.2.3")
    old = (("my_app", "1.2.2"),)
    assert faults(evidence(contents=stated(SPDX, distributions=old)), expected) == {
        "version of my-app in linux/arm64"
    }
    # A package of another kind may have the name.
    packages = (("my-app", "9", "MIT"), ("package-0", "1.0", "MIT"))
    assert not faults(evidence(contents=stated(SPDX, packages=packages)), expected)


def test_an_image_without_the_project_is_as_good_and_says_so() -> None:
    expected = replace(EXPECTED, distribution="my-app", version="1.2.3")
    points = {point.name: point for point in strict_policy(expected).check(evidence())}
    point = points["version of my-app in linux/amd64"]
    assert point.holds and point.observation == "it is not installed there"

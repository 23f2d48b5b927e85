"""Reading an index."""

from __future__ import annotations

import json

import pytest

from shipway.image.index import parse_index
from tests.support.good_image import INDEX
from tests.support.model_remotes import digest_of


class TestImages:
    """Reading indexes."""

    def test_entries_are_told_apart(self) -> None:
        assert INDEX.platforms == ("linux/amd64", "linux/arm64")
        assert [entry.subject for entry in INDEX.attestations] == [
            entry.digest for entry in INDEX.images
        ]
        assert INDEX.leaves_first[-1] == INDEX.digest and len(INDEX.leaves_first) == 5
        assert not INDEX.imagined

    def test_arm64_is_the_same_machine_with_and_without_its_variant(self) -> None:
        text = json.dumps(
            {
                "digest": digest_of("i"),
                "manifests": [
                    {
                        "digest": digest_of("a"),
                        "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"},
                    },
                    {
                        "digest": digest_of("b"),
                        "platform": {"os": "linux", "architecture": "arm", "variant": "v7"},
                    },
                ],
            }
        )
        assert parse_index(text).platforms == ("linux/arm64", "linux/arm/v7")

    @pytest.mark.parametrize(
        ("platform", "name"),
        [
            ({"os": "linux", "architecture": "arm"}, "linux/arm/v7"),
            ({"os": "Linux", "architecture": "x86_64", "variant": "v1"}, "linux/amd64"),
            ({"os": "linux", "architecture": "armel"}, "linux/arm/v6"),
            (
                {"os": "windows", "architecture": "amd64", "os.version": "10.0.17763.1"},
                "windows(10.0.17763.1)/amd64",
            ),
            (
                {"os": "linux", "architecture": "amd64", "os.features": ["simd", "gpu"]},
                "linux(+gpu+simd)/amd64",
            ),
            ({"os": "linux", "architecture": "amd64", "os.features": None}, "linux/amd64"),
            (
                {"os": "windows", "architecture": "amd64", "os.version": "a/b"},
                "windows(a%2Fb)/amd64",
            ),
            (None, "unknown/unknown"),
        ],
    )
    def test_a_platform_has_one_name(self, platform: object, name: str) -> None:
        manifests = [{"digest": digest_of("a"), "platform": platform}]
        text = json.dumps({"digest": digest_of("i"), "manifests": manifests})
        assert parse_index(text).platforms == (name,)

    def test_a_single_manifest_has_no_platforms(self) -> None:
        assert not parse_index(json.dumps({"digest": digest_of("i")})).platforms

    @pytest.mark.parametrize(
        "text",
        [
            "{}",
            "[]",
            "not json",
            '{"digest": 1}',
            '{"digest": ""}',
            '{"digest": "x", "manifests": [{}]}',
            '{"digest": "x", "manifests": [1]}',
            '{"digest": "x", "manifests": 3}',
            '{"digest": "x", "annotations": {"a": 1}}',
            '{"digest": "x", "deep": ' + "[" * 100_000,
        ],
    )
    def test_anything_else_is_an_error(self, text: str) -> None:
        with pytest.raises(ValueError):
            parse_index(text)

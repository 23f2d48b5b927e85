"""Reading layers."""

from __future__ import annotations

import io

import pytest

from shipway.effects import layers
from shipway.effects.layers import Layer
from tests.support.layers import archive, elf

METADATA = "deps/toy-1.0.dist-info/METADATA"


def read(files: dict[str, bytes]) -> Layer:
    """What a layer with these files holds."""
    return layers.read_layer(io.BytesIO(archive(files)))


class TestLayers:
    """Reading layers."""

    @pytest.mark.parametrize(
        ("head", "machine"),
        [
            (elf(62), 62),
            (elf(183), 183),
            (elf(22, big=True), 22),
            (elf(62, kind=2), 62),
            (elf(62, kind=1), None),  # an object file
            (elf(247), None),  # a packet filter of the kernel
            (b"\x7fELF", None),
            (b"", None),
            (b"#!/bin/sh" + bytes(20), None),
        ],
    )
    def test_the_machine_of_a_file(self, head: bytes, machine: int | None) -> None:
        assert layers.read_machine(head) == machine

    def test_compiled_files_and_distributions_are_found(self) -> None:
        found = read(
            {
                "./deps/a.so": elf(62),
                "deps/text": b"x",
                METADATA: b"Name: Toy\nVersion: 1.0\n\nName: no\n",
                "old.egg-info/PKG-INFO": b"Name: old\nVersion: 2\n",
                "METADATA": b"Name: none\n",
            }
        )
        assert found["compiled"] == {"deps/a.so": 62}
        assert found["distributions"] == {
            METADATA: ["Toy", "1.0"],
            "old.egg-info/PKG-INFO": ["old", "2"],
        }

    def test_what_a_higher_layer_hides_is_gone(self) -> None:
        below = read(
            {
                "deps/a.so": elf(62),
                "deps/b.so": elf(62),
                "depsx/c.so": elf(62),
                METADATA: b"Name: toy\n",
            }
        )
        assert set(layers.merge_layers([below, read({".wh.deps": b""})])["compiled"]) == {
            "depsx/c.so"
        }
        assert set(layers.merge_layers([below, read({"deps/.wh.a.so": b""})])["compiled"]) == {
            "deps/b.so",
            "depsx/c.so",
        }
        opaque = layers.merge_layers(
            [below, read({"deps/.wh..wh..opq": b"", "deps/a.so": elf(183)})]
        )
        assert (
            opaque["compiled"] == {"deps/a.so": 183, "depsx/c.so": 62}
            and not opaque["distributions"]
        )

    def test_a_layer_may_hide_everything_below_it(self) -> None:
        below = read({"deps/a.so": elf(62), METADATA: b"Name: toy\n"})
        merged = layers.merge_layers([below, read({".wh..wh..opq": b"", "b.so": elf(62)})])
        assert merged["compiled"] == {"b.so": 62} and not merged["distributions"]

    def test_files_for_another_machine(self) -> None:
        layer = read({"a.so": elf(62), "b.so": elf(183)})
        assert list(layers.find_foreign(layer, "linux/amd64")) == ["b.so"]
        assert list(layers.find_foreign(layer, "linux/arm64/v8")) == ["a.so"]
        assert list(layers.find_foreign(layer, "linux/arm/v7")) == ["a.so", "b.so"]
        assert list(layers.find_foreign(layer, "linux/aarch64")) == ["a.so"]
        assert not list(layers.find_foreign(layer, "wasi/wasm"))

"""Layers of an image, and compiled files in them."""

from __future__ import annotations

import io
import struct
import tarfile


def elf(machine: int, *, kind: int = 3, big: bool = False) -> bytes:
    """The head of a compiled file."""
    return (
        b"\x7fELF\2"
        + (b"\2" if big else b"\1")
        + b"\1"
        + bytes(9)
        + struct.pack(">HH" if big else "<HH", kind, machine)
        + bytes(44)
    )


def archive(files: dict[str, bytes]) -> bytes:
    """A layer with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()

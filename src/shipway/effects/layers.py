"""What a layer of an image holds that a check needs: compiled files with their machine, and Python distributions.

Sources: the ELF specification (System V gABI, "ELF Header") for machines; the OCI image specification ("Image Layer
Filesystem Changeset") for whiteouts; the "Recording installed projects" specification for `*.dist-info/METADATA`.
"""

from __future__ import annotations

import io
import re
import struct
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from email.parser import BytesHeaderParser
from typing import IO, TYPE_CHECKING, TypedDict, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MACHINES: Mapping[str, int] = {
    "linux/386": 3,
    "linux/amd64": 62,
    "linux/arm": 40,
    "linux/arm64": 183,
    "linux/loong64": 258,
    "linux/ppc64le": 21,
    "linux/riscv64": 243,
    "linux/s390x": 22,
}
"""`e_machine` by platform, variants left out."""
_PROCESSORS = frozenset(MACHINES.values())
"""Programs for other things, such as the kernel's packet filters or a graphics card, are no mistake."""
_PROGRAM, _SHARED = 2, 3
"""`e_type` of what the machine itself loads; kernel modules and object files are another's matter."""
_METADATA = re.compile(r"(?:^|/)[^/]+\.(?:dist-info/METADATA|egg-info/PKG-INFO)$")
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_LARGEST_METADATA = 1024 * 1024


class Layer(TypedDict):
    """One layer: `e_machine` by path, (name, version) by path of its metadata, and the paths that it hides below."""

    compiled: dict[str, int]
    distributions: dict[str, list[str]]
    hidden: list[str]


def read_layer(stream: IO[bytes]) -> Layer:
    """Read an uncompressed layer from a stream, once and in order; raises ``tarfile.TarError``."""
    layer = Layer(compiled={}, distributions={}, hidden=[])
    forward = _Forward(stream)
    with tarfile.open(fileobj=cast(IO[bytes], forward), mode="r:") as archive:
        for member in archive:
            path = member.name.removeprefix("./").strip("/")
            folder, _, name = path.rpartition("/")
            if name == _OPAQUE:
                layer["hidden"].append(f"{folder}/")
            elif name.startswith(_WHITEOUT):
                layer["hidden"].append(f"{folder}/{name.removeprefix(_WHITEOUT)}".lstrip("/"))
            elif member.isfile():
                forward.seek(member.offset_data)
                _read_file(layer, path, forward, member.size)
    return layer


def _read_file(layer: Layer, path: str, content: _Forward, size: int) -> None:
    if _METADATA.search(path):
        headers = BytesHeaderParser().parsebytes(content.read(min(size, _LARGEST_METADATA)))
        layer["distributions"][path] = [str(headers["Name"] or ""), str(headers["Version"] or "")]
        return
    machine = read_machine(content.read(min(size, 20)))
    if machine is not None:
        layer["compiled"][path] = machine


class _Forward:
    """A stream that can only be read, as a file that can only be sought forwards.

    It reads the first bytes of each file without an object for each: most files of a layer are small and many.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = io.BufferedReader(_Raw(stream), 1 << 17)
        self._at = 0

    def read(self, size: int) -> bytes:
        """As a file's."""
        found = self._stream.read(size)
        self._at += len(found)
        return found

    def tell(self) -> int:
        """As a file's."""
        return self._at

    def seek(self, offset: int) -> None:
        """Skip what lies before ``offset``."""
        while self._at < offset and self.read(min(offset - self._at, 1 << 20)):
            pass


class _Raw(io.RawIOBase):
    """Whatever has ``read``, for a buffer."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer as far as there is something."""
        view = memoryview(buffer)
        found = self._stream.read(len(view))
        view[: len(found)] = found
        return len(found)


def read_machine(head: bytes) -> int | None:
    """`e_machine` from the first 20 bytes of a program or shared library, ``None`` for every other file."""
    if len(head) < 20 or head[:4] != b"\x7fELF":
        return None
    kind, machine = struct.unpack("<HH" if head[5] == 1 else ">HH", head[16:20])
    return int(machine) if kind in (_PROGRAM, _SHARED) and machine in _PROCESSORS else None


def merge(layers: Iterable[Layer]) -> Layer:
    """What a container sees of the layers, given from the lowest to the highest."""
    seen = Layer(compiled={}, distributions={}, hidden=[])
    for layer in layers:
        for hidden in layer["hidden"]:
            for found in (seen["compiled"], seen["distributions"]):
                for path in [path for path in found if _is_below(path, hidden)]:
                    del found[path]
        seen["compiled"].update(layer["compiled"])
        seen["distributions"].update(layer["distributions"])
    return seen


def _is_below(path: str, hidden: str) -> bool:
    return path == hidden or path.startswith(hidden if hidden.endswith("/") else f"{hidden}/")


def foreign(layer: Layer, platform: str) -> Iterator[str]:
    """Compiled files for another machine than the platform's; nothing is foreign where the platform is not known."""
    own = MACHINES.get("/".join(platform.split("/")[:2]))
    return (
        path
        for path, machine in sorted(layer["compiled"].items())
        if own is not None and machine != own
    )

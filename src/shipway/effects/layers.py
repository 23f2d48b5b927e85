"""Reads what a layer of an image holds that a check needs: compiled files and Python distributions.

Sources: the ELF specification (System V gABI, "ELF Header") for machines; the OCI image
specification ("Image Layer Filesystem Changeset") for whiteouts; the "Recording installed projects"
specification for `*.dist-info/METADATA`.
"""

from __future__ import annotations

import io
import re
import struct
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from email.parser import BytesHeaderParser
from typing import IO, TYPE_CHECKING, TypedDict, cast

from shipway.settings.platforms import normalize_platform

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
"""Programs for other things, such as the kernel's packet filters, are no mistake."""
_LOADABLE = (2, 3)
"""`e_type` of programs and of shared libraries, which the machine itself loads; kernel modules and
object files are another's matter.
"""
_ELF_HEAD = 20
"""Bytes of a file that say whether it is compiled, and for which machine."""
_METADATA = re.compile(r"(?:^|/)[^/]+\.(?:dist-info/METADATA|egg-info/PKG-INFO)$")
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_LARGEST_METADATA = 1024 * 1024


class Layer(TypedDict):
    """Holds what one layer has.

    ``compiled`` is `e_machine` by path, ``distributions`` [name, version] by path of the metadata,
    ``hidden`` the paths that it hides below; one that ends with ``/`` hides what is in that folder.
    """

    compiled: dict[str, int]
    distributions: dict[str, list[str]]
    hidden: list[str]


def read_layer(stream: IO[bytes]) -> Layer:
    """Read an uncompressed layer from a stream, once and in order; raises ``tarfile.TarError``."""
    layer = Layer(
        compiled={},
        distributions={},
        hidden=[],
    )
    content = _ForwardFile(stream)
    with tarfile.open(fileobj=cast(IO[bytes], content), mode="r:") as archive:
        for member in archive:
            path = member.name.removeprefix("./").strip("/")
            hidden = _read_whiteout(path)
            if hidden is not None:
                layer["hidden"].append(hidden)
            elif member.isfile():
                content.seek(member.offset_data)
                _read_file(
                    layer,
                    path,
                    content,
                    member.size,
                )
    return layer


def _read_whiteout(path: str) -> str | None:
    """Give the path that a file of this name hides below, ``None`` for every other file."""
    folder, _, name = path.rpartition("/")
    if name == _OPAQUE:
        return f"{folder}/"
    if name.startswith(_WHITEOUT):
        hidden = name.removeprefix(_WHITEOUT)
        return f"{folder}/{hidden}".lstrip("/")
    return None


def _read_file(layer: Layer, path: str, content: _ForwardFile, size: int) -> None:
    if _METADATA.search(path):
        text_size = min(size, _LARGEST_METADATA)
        text = content.read(text_size)
        headers = BytesHeaderParser().parsebytes(text)
        name = headers["Name"] or ""
        version = headers["Version"] or ""
        layer["distributions"][path] = [str(name), str(version)]
        return
    head_size = min(size, _ELF_HEAD)
    head = content.read(head_size)
    machine = read_machine(head)
    if machine is not None:
        layer["compiled"][path] = machine


class _ForwardFile:
    """Shows a stream that can only be read as a file that can be sought forwards.

    The first bytes of each file are read without an object for each, since most files of a layer
    are small and many: `tarfile`'s own streams (``r|``) take a quarter longer for a whole layer.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = io.BufferedReader(_ReadableStream(stream), 1 << 17)
        self._offset = 0

    def read(self, size: int) -> bytes:
        """Read ``size`` bytes, fewer only where the stream ends."""
        content = self._stream.read(size)
        self._offset += len(content)
        return content

    def tell(self) -> int:
        """Give the number of bytes that were read or skipped."""
        return self._offset

    def seek(self, offset: int) -> None:
        """Skip what lies before ``offset``."""
        while self._offset < offset:
            size = min(offset - self._offset, 1 << 20)
            if not self.read(size):
                break


class _ReadableStream(io.RawIOBase):
    """Lets a buffer read from whatever has the method ``read``."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        """Confirm that it can be read, as `io` asks every stream."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer as far as there is something; gives the number of bytes."""
        view = memoryview(buffer)
        content = self._stream.read(len(view))
        view[: len(content)] = content
        return len(content)


def read_machine(head: bytes) -> int | None:
    """Read `e_machine` from the first 20 bytes of a file.

    It is ``None`` for every file that is neither a program nor a shared library of a processor.
    """
    if len(head) < _ELF_HEAD or not head.startswith(b"\x7fELF"):
        return None
    is_little_endian = head[5] == 1
    layout = "<HH" if is_little_endian else ">HH"
    file_type, machine = struct.unpack_from(layout, head, 16)
    if file_type not in _LOADABLE or machine not in _PROCESSORS:
        return None
    return int(machine)


def merge_layers(layers: Iterable[Layer]) -> Layer:
    """Give what a container sees of the layers, which come from the lowest to the highest."""
    merged = Layer(
        compiled={},
        distributions={},
        hidden=[],
    )
    for layer in layers:
        for hidden in layer["hidden"]:
            _hide(merged, hidden)
        merged["compiled"].update(layer["compiled"])
        merged["distributions"].update(layer["distributions"])
    return merged


def _hide(layer: Layer, hidden: str) -> None:
    for paths in (layer["compiled"], layer["distributions"]):
        for path in list(paths):
            if _is_below(path, hidden):
                del paths[path]


def _is_below(path: str, hidden: str) -> bool:
    if hidden == "/":
        return True
    folder = hidden if hidden.endswith("/") else f"{hidden}/"
    return path == hidden or path.startswith(folder)


def find_foreign(layer: Layer, platform: str) -> Iterator[str]:
    """Name the compiled files for another machine than the platform's, in alphabetical order.

    Nothing is foreign where the platform is not known.
    """
    name = normalize_platform(platform)
    system, architecture, *_ = [*name.split("/"), ""]
    own = MACHINES.get(f"{system}/{architecture}")
    if own is None:
        return
    for path, machine in sorted(layer["compiled"].items()):
        if machine != own:
            yield path

"""Whose packages count as Debian's, and what other systems are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipway.errors import ToolMissing
from shipway.rehearsal.engine import sources

KEY = "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
OWN = (
    "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n"
    + KEY
)
OWN_LINE = "deb http://mirror.example/debian bookworm main\n"


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(
            "deb [arch=amd64 signed-by=/etc/apt/keyrings/vendor.gpg] https://vendor.example/linux/debian bookworm "
            "stable\n",
            id="a vendor whose path ends like the archive's",
        ),
        pytest.param(
            "deb [signed-by=/etc/apt/keyrings/vendor.gpg] https://vendor.example/debian bookworm main\n",
            id="another key",
        ),
        pytest.param(
            "deb [trusted=yes] https://vendor.example/debian bookworm main\n",
            id="no signature wanted",
        ),
        pytest.param("deb https://vendor.example/debian bookworm stable\n", id="another component"),
        pytest.param(
            "deb https://vendor.example/apt bookworm main\n", id="another path and no key"
        ),
        pytest.param(
            "Types: deb\nURIs: https://vendor.example/debian\nSuites: bookworm\nComponents: main\nSigned-By:\n"
            " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n debian-archive-\n",
            id="a key of its own, written out",
        ),
        pytest.param(
            "Types: deb\nURIs: https://vendor.example/debian\nSuites: bookworm\nComponents: main\nTrusted: yes\n",
            id="no signature wanted, deb822",
        ),
        pytest.param(OWN.replace("mirror", "vendor") + "Enabled: No\n", id="switched off"),
        pytest.param("# " + OWN_LINE.replace("mirror", "vendor"), id="a comment"),
        pytest.param(
            OWN.replace("mirror", "vendor").replace("Types: deb", "Types: deb-src"),
            id="source packages",
        ),
        pytest.param(
            OWN.replace("mirror", "vendor").replace(
                "bookworm bookworm-updates", "bookworm-security"
            ),
            id="another kind of suite",
        ),
    ],
)
def test_sources_of_others_are_passed_over(foreign: str) -> None:
    assert sources.find_mirror([foreign]) is None
    for own in (OWN, OWN_LINE):
        assert sources.find_mirror([foreign, own]) == "http://mirror.example/debian"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param(
            "types: deb\nuris: http://mirror.example/debian/\nsuites: bookworm\ncomponents: main\n",
            "http://mirror.example/debian",
            id="small letters",
        ),
        pytest.param(
            f"Types: deb\n# a comment\nURIs: http://mirror.example/archive/20250520T000000Z\nSuites: bookworm\n"
            f"Components: main\n{KEY}",
            "http://mirror.example/archive/20250520T000000Z",
            id="a snapshot, by its key",
        ),
        pytest.param(
            "Types: deb\nURIs:\n http://mirror.example/debian\nSuites: sid\nComponents: main contrib\n",
            "http://mirror.example/debian",
            id="a value on the next line",
        ),
        pytest.param(
            OWN_LINE.replace("mirror", "plain") + "\n" + OWN,
            "http://mirror.example/debian",
            id="the named key comes first",
        ),
    ],
)
def test_the_archive_is_known_by_its_key(text: str, address: str) -> None:
    assert sources.find_mirror([text]) == address


def test_a_list_of_mirrors_stands_for_its_first_one(tmp_path: Path) -> None:
    text = OWN.replace("http://mirror.example/debian", "mirror+file:///etc/apt/mirrors/debian.list")
    assert sources.find_mirror([text], tmp_path) is None
    (tmp_path / "etc/apt/mirrors").mkdir(parents=True)
    (tmp_path / "etc/apt/mirrors/debian.list").write_text(
        "# ours\n\nhttp://mirror.example/debian priority:1\n"
    )
    assert sources.find_mirror([text], tmp_path) == "http://mirror.example/debian"


@pytest.mark.parametrize(
    ("release", "platform", "words"),
    [
        ("", "darwin", "brew install"),
        ("ID=debian\n", "linux", "task engine"),
        (
            'ID=ubuntu\nID_LIKE="debian"\n',
            "linux",
            "apt-get install docker.io docker-buildx, and install cosign",
        ),
        ('ID="nobara"\nID_LIKE="fedora"\n', "linux", "dnf install"),
        ("ID=void\n", "linux", "install Docker Engine with buildx"),
        ("", "linux", "install Docker Engine with buildx"),
    ],
)
def test_each_system_is_told_its_own_commands(
    tmp_path: Path, release: str, platform: str, words: str
) -> None:
    if release:
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc/os-release").write_text(release)
    assert words in sources.what_to_install(tmp_path, platform)


def test_a_machine_without_the_archive_learns_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text("ID=fedora\n")
    with pytest.raises(ToolMissing, match="no mirror of Debian's archive") as caught:
        sources.machine_source(tmp_path, "trixie")
    assert caught.value.status == 4

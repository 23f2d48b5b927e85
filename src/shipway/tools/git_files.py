"""This module writes how git is asked for what a commit means beyond its own files. Pure.

That is submodules, and files of Git LFS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from shipway.model.actions import Answer, Command, Effect
from shipway.tools.git import ask_git
from shipway.tools.git_environment import read_list

NAME = "files"
LFS_SETTINGS = {
    "filter.lfs.clean": "git-lfs clean -- %f",
    "filter.lfs.smudge": "git-lfs smudge -- %f",
}
"""Holds what `git lfs install` writes, without the server of many files at once."""
_NO_SETTING = 5
"""Gives git's exit status where a setting that is to go is not there."""
_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n")
_OBJECT = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
POINTER_SIZE = 1024
"""Says how many bytes a pointer has at most (Git LFS specification, "The Pointer")."""


def list_submodules(folder: Path) -> Command:
    """List the files of the index below ``folder``, submodules among them, with their commits."""
    return ask_git(
        NAME,
        "look for submodules",
        folder,
        "ls-files",
        "--stage",
        "-z",
    )


def read_submodules(answer: Answer) -> dict[str, str]:
    """Give the commit of each submodule by its path, from the answer to ``list_submodules``."""
    submodules: dict[str, str] = {}
    for entry in answer.out.split("\0"):
        properties, _, path = entry.partition("\t")
        words = properties.split(" ")
        mode, commit, *_ = [*words, ""]
        if mode == "160000":
            submodules[path] = commit
    return submodules


def find_prefix(folder: Path) -> Command:
    """Ask where ``folder`` lies in its repository."""
    return ask_git(NAME, "find the folder", folder, "rev-parse", "--show-prefix")


def read_gitmodules(folder: Path) -> Command:
    """Ask what `.gitmodules` says; the exit status is 1 or 128 where the commit has none."""
    words = ("config", "--blob", "HEAD:.gitmodules", "--null", "--list")
    expected = (0, 1, 128)
    return ask_git(NAME, "read .gitmodules", folder, *words, expected=expected)


def read_left_out(answer: Answer) -> set[str]:
    """Give the paths of the submodules that git itself leaves out: `update = none`."""
    paths: dict[str, str] = {}
    left_out: set[str] = set()
    settings = dict(read_list(answer.out))
    for name, value in settings.items():
        submodule, _, key = name.rpartition(".")
        if key == "path":
            paths[submodule] = value
        if (key, value) == ("update", "none"):
            left_out.add(submodule)
    left_out_paths: set[str] = set()
    for submodule, path in paths.items():
        if submodule in left_out:
            left_out_paths.add(path)
    return left_out_paths


def find_commit(folder: Path, commit: str) -> Command:
    """Ask whether a commit is there: the exit status is 0, else 1 or 128."""
    words = ("cat-file", "-e", f"{commit}^{{commit}}")
    why = "look for a submodule's commit"
    return ask_git(NAME, why, folder, *words, expected=(0, 1, 128))


def find_git_folder(folder: Path) -> Command:
    """Ask where git keeps what it knows of the repository of ``folder``."""
    return ask_git(
        NAME,
        "find the objects",
        folder,
        "rev-parse",
        "--git-common-dir",
    )


# Git LFS


def list_lfs_files(folder: Path) -> Command:
    """List the files below ``folder`` that are to pass Git LFS's filter."""
    words = ("ls-files", "-z", "--", ":(attr:filter=lfs)")
    return ask_git(NAME, "look for files of Git LFS", folder, *words)


def read_pointer(content: bytes) -> str | None:
    """Give the hash of the object that a pointer stands for, ``None`` where it is no pointer."""
    if not _POINTER.match(content):
        return None
    match = _OBJECT.search(content)
    if match is None:
        return ""
    return match[1].decode()


def find_lfs_settings(folder: Path) -> Command:
    """Ask which filter the checkout has for Git LFS; the exit status is 1 where it has none."""
    words = ("config", "--null", "--get-regexp", r"^filter\.lfs\.")
    return ask_git(NAME, "ask for the filter of Git LFS", folder, *words, expected=(0, 1))


def read_lfs_settings(answer: Answer) -> dict[str, str]:
    """Give the filter's settings, which may not skip what is there."""
    lfs_settings: dict[str, str] = {}
    settings = dict(read_list(answer.out))
    for name, value in settings.items():
        if value:
            lfs_settings[name] = value.replace(" --skip", "")
    return lfs_settings


def ask_lfs_version(folder: Path) -> Command:
    """Ask whether git has a command `lfs`; the exit status is 1 where it has none."""
    return ask_git(
        NAME,
        "ask for Git LFS",
        folder,
        "lfs",
        "version",
        expected=(0, 1),
    )


def set_lfs_filter(folder: Path, settings: Mapping[str, str]) -> tuple[Command, ...]:
    """Let a clone have the filter, which is to download nothing and to leave what it lacks."""
    changes = {
        **settings,
        "filter.lfs.required": "false",
        "lfs.url": "file:///dev/null",
    }
    # Even an empty process would be asked in place of the other filters.
    unset = ("config", "--unset-all", "filter.lfs.process")
    commands = [_make(folder, *unset, expected=(0, _NO_SETTING))]
    for key, value in changes.items():
        command = _make(folder, "config", key, value)
        commands.append(command)
    return tuple(commands)


def make_lfs_files(folder: Path) -> Command:
    """Make the files again that were deleted."""
    return _make(folder, "checkout-index", "--all", "--force", "--index")


def _make(folder: Path, *words: str, expected: tuple[int, ...] = (0,)) -> Command:
    return Command(
        name=NAME,
        why="make the files of Git LFS",
        argv=("git", *words),
        effect=Effect.LOCAL,
        folder=str(folder),
        expected=expected,
    )

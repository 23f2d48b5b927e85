"""A commit means more than the files of its own tree: submodules, and files of Git LFS.

A clone takes them from the checkout that it was made of; nothing is downloaded.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from shipway.effects.processes import Runner
from shipway.errors import ContextError
from shipway.tools import git_clone, git_files
from shipway.tools.git import split_names

_SHOWN = 5
"""Says how many paths an error names."""


def complete(runner: Runner, checkout: Path, folder: Path) -> str:
    """Put all that its commit means into ``folder``, in a clone of the repository of ``checkout``.

    Says how much that is; raises ``ContextError`` where the checkout lacks some of it.
    """
    _fill(runner, checkout, folder)
    return require_whole(runner, folder)


def require_whole(runner: Runner, folder: Path) -> str:
    """Make sure that all that its commit means is in ``folder``; say how much it is.

    Raises ``ContextError``, which names what is missing.
    """
    trees = list(_list_trees(runner, folder))
    submodules: list[Path] = []
    pointers: list[Path] = []
    count = 0
    for tree in trees:
        submodules += _list_empty_submodules(runner, tree)
        files = _list_lfs_files(runner, tree)
        count += len(files)
        for file in files:
            if _read_pointer(file) is not None:
                pointers.append(file)
    _refuse(folder, submodules, pointers)
    submodule_count = len(trees) - 1
    return f"{submodule_count} submodules, {count} files of Git LFS"


def _refuse(folder: Path, submodules: list[Path], pointers: list[Path]) -> None:
    """Raise ``ContextError`` where a submodule is empty or a file is a pointer."""
    if not submodules and not pointers:
        return
    advice: list[str] = []
    if submodules:
        advice.append(
            "run `git submodule update --init --recursive` "
            "(in Actions: `submodules: recursive` for actions/checkout); one that .gitmodules "
            "does not name was added by accident: `git rm --cached`"
        )
    if pointers:
        advice.append("run `git lfs pull` (in Actions: `lfs: true` for actions/checkout)")
    names: list[str] = []
    for submodule in submodules:
        path = submodule.relative_to(folder)
        names.append(f"the submodule {path}")
    for pointer in pointers:
        path = pointer.relative_to(folder)
        names.append(f"the Git LFS file {path}")
    shown = ", ".join(names[:_SHOWN])
    rest = len(names) - _SHOWN
    if rest > 0:
        shown += f" and {rest} more"
    raise ContextError(
        f"the checkout lacks what its commit means: {shown}",
        hint="; ".join(advice),
    )


def _list_trees(runner: Runner, folder: Path) -> Iterator[Path]:
    """List the folder and the submodules below it that are checked out, one inside another too."""
    yield folder
    for path in _find_submodules(runner, folder):
        tree = folder / path
        if _is_checkout(tree):
            yield from _list_trees(runner, tree)


def _find_submodules(runner: Runner, folder: Path) -> dict[str, str]:
    """Give the commit of each submodule below a folder of one repository, by its path."""
    answer = runner(git_files.list_submodules(folder))
    return git_files.read_submodules(answer)


def _is_checkout(folder: Path) -> bool:
    """Tell whether a repository is checked out there: git would take an outer one, too."""
    return (folder / ".git").exists()


def _list_empty_submodules(runner: Runner, folder: Path) -> list[Path]:
    """List the submodules without files, but for those that git itself leaves out."""
    empty: list[str] = []
    for path in _find_submodules(runner, folder):
        if not _is_checkout(folder / path):
            empty.append(path)
    if not empty:
        return []
    answer = runner(git_files.find_prefix(folder))
    prefix = answer.out.rstrip("\n")
    gitmodules = runner(git_files.read_gitmodules(folder))
    left_out = git_files.read_left_out(gitmodules)
    submodules: list[Path] = []
    for path in empty:
        path_from_top = f"{prefix}{path}"
        if path_from_top not in left_out:
            submodules.append(folder / path)
    return submodules


def _fill(runner: Runner, checkout: Path, folder: Path) -> None:
    """Clone the checkout's submodules into ``folder``, and make the files of Git LFS there."""
    _make_lfs_files(runner, checkout, folder)
    for path, commit in _find_submodules(runner, folder).items():
        source = checkout / path
        if not _has_commit(runner, source, commit):
            continue
        clone = folder / path
        git_folder = _find_git_folder(runner, folder)
        store = git_folder / "modules" / path
        store.parent.mkdir(parents=True, exist_ok=True)
        command = git_clone.clone_submodule(source, clone, store)
        runner(command)
        _point_to_store(clone, store)
        why = f"go to the commit of {path}"
        check_out = git_clone.check_out_detached(why, clone, commit)
        runner(check_out)
        _fill(runner, source, clone)


def _has_commit(runner: Runner, folder: Path, commit: str) -> bool:
    """Tell whether a repository is checked out there that has the commit."""
    if not _is_checkout(folder):
        return False
    answer = runner(git_files.find_commit(folder, commit))
    return answer.code == 0


def _point_to_store(clone: Path, store: Path) -> None:
    """Write into the clone of a submodule where its repository is."""
    # What git itself writes there, wherever the clone lies: an image may have it, too.
    relative = os.path.relpath(store, clone)
    place = Path(relative).as_posix()
    pointer = clone / ".git"
    pointer.write_text(f"gitdir: {place}\n", encoding="utf-8")


def _find_git_folder(runner: Runner, folder: Path) -> Path:
    """Give the folder where git keeps what it knows of the repository of ``folder``."""
    answer = runner(git_files.find_git_folder(folder))
    return folder / answer.out.rstrip("\n")


# Git LFS


def _list_lfs_files(runner: Runner, folder: Path) -> list[Path]:
    """List the files of Git LFS below a folder of one repository."""
    answer = runner(git_files.list_lfs_files(folder))
    names = split_names(answer.out)
    return [folder / name for name in names]


def _read_pointer(file: Path) -> str | None:
    """Give the hash of the object that a file stands for, ``None`` where it stands for none."""
    if file.is_symlink() or not file.is_file():
        return None
    with file.open("rb") as stream:
        start = stream.read(git_files.POINTER_SIZE)
    return git_files.read_pointer(start)


def _make_lfs_files(runner: Runner, checkout: Path, folder: Path) -> None:
    """Put the files that pointers stand for in their place, by the filter of the checkout."""
    pointers: dict[Path, str] = {}
    for file in _list_lfs_files(runner, folder):
        digest = _read_pointer(file)
        if digest is not None:
            pointers[file] = digest
    if not pointers:
        return
    if not adopt_filter(runner, checkout, folder):
        return
    source = _find_objects(runner, checkout)
    store = _find_objects(runner, folder)
    _share_objects(source, store, pointers.values())
    for file in pointers:
        file.unlink()
    runner(git_files.make_lfs_files(folder))


def adopt_filter(runner: Runner, checkout: Path, folder: Path) -> bool:
    """Let a clone have the checkout's filter of Git LFS; tell whether there is one."""
    answer = runner(git_files.find_lfs_settings(checkout))
    settings = git_files.read_lfs_settings(answer)
    if not settings:
        version = runner(git_files.ask_lfs_version(checkout))
        if version.code != 0:
            return False
        settings = git_files.LFS_SETTINGS
    for command in git_files.set_lfs_filter(folder, settings):
        runner(command)
    return True


def _find_objects(runner: Runner, folder: Path) -> Path:
    """Give the folder where Git LFS keeps the objects of a repository."""
    return _find_git_folder(runner, folder) / "lfs/objects"


def _share_objects(source: Path, store: Path, digests: Iterable[str]) -> None:
    """Link the objects that are in ``source`` into ``store``, or copy them to another disk."""
    for digest in digests:
        place = Path(digest[:2], digest[2:4], digest)
        original = source / place
        link = store / place
        if not original.is_file():
            continue
        link.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(original, link)
        except FileExistsError:
            continue
        except OSError:
            shutil.copyfile(original, link)

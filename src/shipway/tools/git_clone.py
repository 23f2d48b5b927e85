"""This module writes how git makes the temporary clone, and the release commit in it. Pure."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from shipway.errors import StepFailed
from shipway.model.actions import Answer, Command, Effect
from shipway.tools.git import LOGINS, RELEASED, ask_git, split_names
from shipway.tools.git_environment import PARAMETERS

AUTHOR, MAIL = "github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com"
"""Names the author of release commits: always the same, since a commit's hash depends on it."""
_SHOWN = 5
"""Says how many files an error names."""
_CLONE_SETTINGS = (
    f"user.name={AUTHOR}",
    f"user.email={MAIL}",
    # Windows lets few make a symbolic link.
    *(() if sys.platform == "win32" else ("core.symlinks=true",)),
    # What a release changes is committed as git stores it; `run/whole_tree` makes the files.
    # Even an empty process is asked in place of the other filters.
    "filter.lfs.process=",
    "filter.lfs.required=false",
)
_TRUST = "safe.directory"
"""Names the setting that lets git read a folder of somebody else's.

git was asked before whether it trusts the checkout; but a clone asks again, about another folder
(`.git` in it), and without the settings of the environment.
"""


def clone_checkout(top: str, clone: Path, remote: str, settings: Path) -> Command:
    """Make a clone of the checkout ``top``; the file ``settings`` says how to reach the remote."""
    words = (f"--config=include.path={settings}", "--origin", remote)
    return _clone("clone the checkout", top, clone, *words)


def clone_submodule(source: Path, clone: Path, store: Path) -> Command:
    """Make a clone of the checkout of a submodule; what git knows of it goes into ``store``."""
    why = f"clone the submodule {clone.name}"
    place = f"--separate-git-dir={store}"
    return _clone(why, str(source), clone, place)


def _clone(why: str, source: str, clone: Path, *words: str) -> Command:
    """Clone a folder of this machine, and check nothing out."""
    options = [f"--config={setting}" for setting in _CLONE_SETTINGS]
    places = (
        "--quiet",
        "--template=",
        "--no-checkout",
        "--no-tags",
        f"--upload-pack=git -c {_TRUST}='*' upload-pack",
        *options,
        *words,
        "--",
        source,
        str(clone),
    )
    return Command(
        name="version",
        why=why,
        argv=("git", "clone", *places),
        effect=Effect.LOCAL,
        env={"GIT_ALLOW_PROTOCOL": "file", PARAMETERS: f"'{_TRUST}'='*'"},
    )


def forget_checkout(clone: Path, remote: str) -> Command:
    """Let the remote be where the clone's settings say, and no longer the checkout."""
    words = ("config", "--local", "--unset-all", f"remote.{remote}.url")
    return _change("point the clone at the remote", clone, *words)


def fetch_all(clone: Path, remote: str) -> Command:
    """Fetch all refs of the remote, and forget those of the checkout.

    What the remote shows is what was released.
    """
    words = (
        "--quiet",
        "--no-tags",
        "--prune",
        # None of the refspecs that settings name for the remote.
        "--refmap=",
        remote,
        f"+refs/heads/*:refs/remotes/{remote}/*",
        f"+refs/tags/*:{RELEASED}/*",
    )
    return _change("fetch what the remote has", clone, "fetch", *words)


def check_out_branch(why: str, clone: str | Path, branch: str, commit: str) -> Command:
    """Check a commit out as ``branch``, wherever that was before."""
    return _change(why, clone, "checkout", "--quiet", "-B", branch, commit)


def check_out_detached(why: str, clone: str | Path, commit: str) -> Command:
    """Check a commit out, on no branch."""
    return _change(why, clone, "checkout", "--quiet", "--detach", commit)


def list_missing_files(clone: str | Path) -> Command:
    """Ask which files of the commit that is checked out are not there.

    git says that it checked a commit out, also where it could not write a file.
    """
    words = ("ls-files", "--deleted", "--full-name", "-z", "--", ":/")
    return ask_git("version", "look for missing files", clone, *words)


def require_files(answer: Answer) -> None:
    """Make sure from the answer to ``list_missing_files`` that all are there."""
    missing = split_names(answer.out)
    if missing:
        names = ", ".join(missing[:_SHOWN])
        raise StepFailed(
            f"git could not check out {len(missing)} files of the commit: {names}",
            hint="run `git fsck` in the checkout, and make room on the disk; a partial clone has to "
            "reach its remote",
        )


def adopt_tag(clone: str | Path, tag: str) -> Command:
    """Make the remote's tag a tag of the clone."""
    why = f"have {tag}"
    own_tag = f"refs/tags/{tag}"
    remote_tag = f"{RELEASED}/{tag}"
    return _change(why, clone, "update-ref", own_tag, remote_tag)


def _change(why: str, folder: str | Path, *words: str) -> Command:
    """Change the temporary clone, which may have to ask the remote."""
    return Command(
        name="version",
        why=why,
        argv=("git", *words),
        effect=Effect.LOCAL,
        folder=str(folder),
        secrets=LOGINS,
    )


# The release commit


def release_subject(tag: str) -> str:
    """Write the message of a release commit."""
    return f"chore(release): {tag} [skip ci]"


def ask_commit(folder: str | Path, commit: str) -> Command:
    """Ask for a commit as git stores it: headers, an empty line, the message."""
    words = ("cat-file", "commit", commit)
    return ask_git("version", "look at the commit of a tag", folder, *words)


def is_release_commit(answer: Answer, tag: str, parent: str, epoch: int) -> bool:
    """Tell from the answer to ``ask_commit`` whether it is the release commit of a tag.

    That is one on top of ``parent`` alone, made by shipway and dated by the parent: ``epoch`` is
    its time in seconds since 1970.
    """
    head, _, message = answer.out.partition("\n\n")
    lines = head.split("\n")
    parents = [line for line in lines if line.startswith("parent ")]
    if parents != [f"parent {parent}"]:
        return False
    person = f"{AUTHOR} <{MAIL}> {epoch} +0000"
    people = {f"author {person}", f"committer {person}"}
    if not people.issubset(lines):
        return False
    subject = message.strip()
    return subject == release_subject(tag)


def commit_commands(folder: str | Path, tag: str, epoch: int) -> tuple[Command, ...]:
    """Make the release commit and its tag, dated by the commit that is released."""
    message = release_subject(tag)
    commit = ("commit", "--quiet", "--allow-empty", "--no-verify", "--message", message)
    steps = (
        ("add everything that was stamped", ("add", "--update")),
        ("make the release commit", commit),
        (f"tag it {tag}", ("tag", "--annotate", "--message", tag, tag)),
    )
    return _dated(folder, epoch, steps)


def tag_commands(folder: str | Path, tag: str, epoch: int, message: Path) -> tuple[Command, ...]:
    """Tag a release without a commit of its own: what was stamped goes, the tag has a message.

    ``message`` is the path of a file outside of the clone.
    """
    # Headings of Markdown look like comments to git.
    annotate = ("tag", "--annotate", "--cleanup=verbatim", "--file", str(message), tag)
    steps = (
        ("drop what was stamped", ("checkout", "--quiet", "--force", "HEAD")),
        ("drop what was written", ("clean", "--quiet", "--force", "-d")),
        (f"tag it {tag}", annotate),
    )
    return _dated(folder, epoch, steps)


def _dated(
    folder: str | Path, epoch: int, steps: Iterable[tuple[str, tuple[str, ...]]]
) -> tuple[Command, ...]:
    """Make a command of each step, a reason and git's arguments, with one author and one date."""
    date = f"{epoch} +0000"
    identity = {
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
        "GIT_AUTHOR_NAME": AUTHOR,
        "GIT_AUTHOR_EMAIL": MAIL,
        "GIT_COMMITTER_NAME": AUTHOR,
        "GIT_COMMITTER_EMAIL": MAIL,
    }
    commands: list[Command] = []
    for why, words in steps:
        command = Command(
            name="version",
            why=why,
            argv=("git", *words),
            env=identity,
            folder=str(folder),
            effect=Effect.LOCAL,
        )
        commands.append(command)
    return tuple(commands)

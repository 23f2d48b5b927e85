"""This module writes how git makes the temporary clone, and the release commit in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from shipway.model.actions import Command, Effect
from shipway.tools.git import LOGINS, RELEASED

AUTHOR, MAIL = "github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com"
"""Names the author of release commits: always the same, since a commit's hash depends on it."""
_HELPER = (
    '!f() { test "$1" = get && echo username=x-access-token && '
    'echo "password=${GITHUB_TOKEN:-$GH_TOKEN}"; }; f'
)
"""Holds a credential helper that reads the token from its environment.

So the token stands in no file and no argument.
"""
_CLONE_SETTINGS = (
    f"user.name={AUTHOR}",
    f"user.email={MAIL}",
    # Global settings of the machine must not change what is committed, nor ask for a passphrase.
    "commit.gpgsign=false",
    "tag.gpgsign=false",
    "core.hooksPath=/dev/null",
    # Nothing tidies up in the background: it would be at work in a folder that is being deleted.
    "maintenance.auto=false",
)


def clone_commands(
    top: str, clone: Path, remote: str, address: str, *, with_token: bool
) -> Iterator[Command]:
    """Make a clone: objects come from the checkout ``top``, refs from the remote alone.

    What the remote shows is what was released. ``with_token`` lets git log in with a token of its
    environment.
    """
    settings = [*_CLONE_SETTINGS]
    if with_token:
        settings.append(f"credential.helper={_HELPER}")
    options = [f"--config={setting}" for setting in settings]
    inside = ("-C", str(clone))
    yield _change(
        "clone the checkout",
        "",
        "clone",
        "--quiet",
        "--template=",
        "--no-checkout",
        "--no-tags",
        *options,
        "--origin",
        remote,
        top,
        str(clone),
    )
    yield _change(
        "point the clone at the remote",
        "",
        *inside,
        "remote",
        "set-url",
        remote,
        address,
    )
    yield _change(
        "fetch what the remote has",
        "",
        *inside,
        "fetch",
        "--quiet",
        "--no-tags",
        "--prune",
        remote,
        f"+refs/heads/*:refs/remotes/{remote}/*",
        f"+refs/tags/*:{RELEASED}/*",
    )


def check_out_branch(why: str, clone: str | Path, branch: str, commit: str) -> Command:
    """Check a commit out as ``branch``, wherever that was before."""
    return _change(why, clone, "checkout", "--quiet", "-B", branch, commit)


def check_out_detached(why: str, clone: str | Path, commit: str) -> Command:
    """Check a commit out, on no branch."""
    return _change(why, clone, "checkout", "--quiet", "--detach", commit)


def adopt_tag(clone: str | Path, tag: str) -> Command:
    """Make the remote's tag a tag of the clone."""
    words = ("update-ref", f"refs/tags/{tag}", f"{RELEASED}/{tag}")
    return _change(f"have {tag}", clone, *words)


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


def commit_commands(folder: str | Path, tag: str, epoch: int) -> tuple[Command, ...]:
    """Make the release commit and its tag, dated by the commit that is released."""
    message = f"chore(release): {tag} [skip ci]"
    commit = ("commit", "--quiet", "--allow-empty", "--no-verify", "--message", message)
    steps = (
        ("add everything that was stamped", ("add", "--update")),
        ("make the release commit", commit),
        (f"tag it {tag}", ("tag", "--annotate", "--message", tag, tag)),
    )
    return _dated(folder, epoch, steps)


def tag_commands(folder: str | Path, tag: str, epoch: int, notes: str) -> tuple[Command, ...]:
    """Tag a release without a commit of its own: what was stamped goes, the tag has the notes."""
    message = f"{tag}\n\n{notes}\n"
    # Headings of Markdown look like comments to git.
    annotate = ("tag", "--annotate", "--cleanup=verbatim", "--message", message, tag)
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

"""How git is asked for tags and refs, and how a release is committed and tagged. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from shipway.model.actions import Answer, Command, Effect
from shipway.model.release import GitTag
from shipway.model.target import Target
from shipway.tools.imagetools import PASSING

NAME = "version"


TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
"""Variables that git's credential helper may read a token from."""


def list_command(target: Target, *refs: str) -> Command:
    """The question which of these refs the origin has."""
    return Command(
        name="origin",
        why=f"ask {target.remote} for {refs[0]}",
        argv=("git", "ls-remote", target.remote, *refs),
        effect=Effect.READ,
        folder=target.folder,
        secrets=TOKENS,
        again=PASSING,
    )


def read_refs(answer: Answer) -> dict[str, str]:
    """Hash by full ref name."""
    lines = (line.split("\t", 1) for line in answer.out.splitlines() if "\t" in line)
    return {name: digest for digest, name in lines}


RELEASED = "refs/released"
"""Where the remote's tags are in the clone: python-semantic-release is shown those alone that matter."""
NAME_AND_MAIL = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
"""Author of release commits: one fixed identity, since a commit's hash depends on it."""
_FIELDS = "%(refname:lstrip=2)\t%(objectname)\t%(*objectname)\t%(parent)\t%(*parent)"


def tags_command(folder: str) -> Command:
    """The question which tags the remote had, and which were made here since; annotated ones are peeled."""
    return Command(
        name=NAME,
        why="list the tags",
        folder=folder,
        effect=Effect.READ,
        argv=("git", "for-each-ref", RELEASED, "refs/tags", f"--format={_FIELDS}"),
    )


def read_tags(answer: Answer) -> tuple[GitTag, ...]:
    """The tags that name commits."""
    rows = (line.split("\t") for line in answer.out.splitlines())
    found = (
        GitTag(name, peeled or commit, (peeled_parents or parents).partition(" ")[0])
        for name, commit, peeled, parents, peeled_parents in rows
    )
    return tuple({tag.name: tag for tag in found}.values())


def notes_command(folder: str, tag: str) -> Command:
    """The question which notes a tag carries."""
    return Command(
        name=NAME,
        why=f"read the notes of {tag}",
        folder=folder,
        effect=Effect.READ,
        argv=("git", "for-each-ref", "--format=%(contents:body)", f"refs/tags/{tag}"),
    )


def authors_command(folder: str, since: str, commit: str) -> Command:
    """The question who made the commits since the tag ``since``, or all of them; names as `.mailmap` tells."""
    return Command(
        name=NAME,
        why="ask who made the commits",
        folder=folder,
        effect=Effect.READ,
        argv=(
            "git",
            "log",
            "--format=%aN",
            f"{RELEASED}/{since}..{commit}" if since else commit,
            "--",
        ),
    )


def commit_commands(folder: str, tag: str, epoch: int) -> tuple[Command, ...]:
    """The release commit and its tag, dated by the commit that is released."""
    return _dated(
        folder,
        epoch,
        (
            ("add everything that was stamped", ("git", "add", "--update")),
            (
                "make the release commit",
                (
                    "git",
                    "commit",
                    "--quiet",
                    "--allow-empty",
                    "--no-verify",
                    "--message",
                    f"chore(release): {tag} [skip ci]",
                ),
            ),
            (f"tag it {tag}", ("git", "tag", "--annotate", "--message", tag, tag)),
        ),
    )


def tag_commands(folder: str, tag: str, epoch: int, notes: str) -> tuple[Command, ...]:
    """The tag of a release without a commit of its own: what was stamped is dropped, and the tag carries the notes."""
    return _dated(
        folder,
        epoch,
        (
            ("drop what was stamped", ("git", "checkout", "--quiet", "--force", "HEAD")),
            ("drop what was written", ("git", "clean", "--quiet", "--force", "-d")),
            # Headings of Markdown look like comments to git.
            (
                f"tag it {tag}",
                (
                    "git",
                    "tag",
                    "--annotate",
                    "--cleanup=verbatim",
                    "--message",
                    f"{tag}\n\n{notes}\n",
                    tag,
                ),
            ),
        ),
    )


def _dated(
    folder: str, epoch: int, steps: Iterable[tuple[str, tuple[str, ...]]]
) -> tuple[Command, ...]:
    name, mail = NAME_AND_MAIL
    dates = {
        "GIT_AUTHOR_DATE": f"{epoch} +0000",
        "GIT_COMMITTER_DATE": f"{epoch} +0000",
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": mail,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": mail,
    }
    return tuple(
        Command(name=NAME, why=why, argv=argv, env=dates, folder=folder, effect=Effect.LOCAL)
        for why, argv in steps
    )

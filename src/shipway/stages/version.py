"""version: python-semantic-release decides from Conventional Commits, in a fresh clone, and never pushes by itself.

It is driven by its command line, which is its stable interface. It only computes and stamps; commit and tag are made
here with dates taken from the parent commit, so that a rerun makes the same commit and finds the image of the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from shipway.config import Release
from shipway.errors import ContextError, StepFailed
from shipway.model import Answer, Command, Effect
from shipway.notes import CHANGELOG

NAME = "version"
WITHDRAWN = "withdrawn/"
"""Before the name of a release's tag: nobody shall use it any more."""
RELEASED = "refs/released"
"""Where the remote's tags are in the clone: python-semantic-release is shown those alone that matter."""
NAME_AND_MAIL = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
"""Author of release commits: one fixed identity, since a commit's hash depends on it."""

_FIELDS = "%(refname:lstrip=2)\t%(objectname)\t%(*objectname)\t%(parent)\t%(*parent)"
_QUIET = {"GITHUB_OUTPUT": "", "GITHUB_ACTIONS": "", "GITHUB_API_URL": "", "GH_TOKEN": "", "NO_COLOR": "1"}
"""python-semantic-release writes outputs of its own, wrong ones when nothing is due, and must not see where. It asks no
API either."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A git tag with the commit that it names, and that commit's first parent (empty for a root)."""

    name: str
    commit: str
    parent: str


LEVELS = ("major", "minor", "patch")


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody's word in place of the commits': one of ``LEVELS``, and why; both empty where the commits decide."""

    level: str = ""
    reason: str = ""


def read_override(level: str, reason: str) -> Override:
    """The words of a command line; raises ``ContextError`` where one lacks the other."""
    reason = " ".join(reason.split())
    if level and level not in LEVELS:
        raise ContextError(f"there is no level {level!r}", hint=f"the levels are {', '.join(LEVELS)}")
    if bool(level) != bool(reason):
        raise ContextError("a version that the commits do not call for needs a level and a reason",
                           hint="say both: --as minor --because 'the new default changes what people see'")
    return Override(level, reason)


@dataclass(frozen=True, slots=True)
class Decision:
    """The last released version and the next one; ``upcoming`` is empty when no release is due."""

    current: str
    upcoming: str

    @property
    def bump(self) -> str:
        """``major``, ``minor`` or ``patch``: the first number that differs; empty when nothing is due."""
        if not self.upcoming:
            return ""
        old, new = numbers(self.current), numbers(self.upcoming)
        pairs = zip(("major", "minor"), old, new, strict=False)
        return next((name for name, before, after in pairs if before != after), "patch")


def numbers(version: str) -> tuple[int, int, int]:
    """Major, minor and patch of a semantic version; zeros for an empty one."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)


def tags_command(folder: str) -> Command:
    """The question which tags the remote had, and which were made here since; annotated ones are peeled."""
    return Command(name=NAME, why="list the tags", folder=folder, effect=Effect.READ,
                   argv=("git", "for-each-ref", RELEASED, "refs/tags", f"--format={_FIELDS}"))


def read_tags(answer: Answer) -> tuple[Tag, ...]:
    """The tags that name commits."""
    rows = (line.split("\t") for line in answer.out.splitlines())
    found = (Tag(name, peeled or commit, (peeled_parents or parents).partition(" ")[0])
             for name, commit, peeled, parents, peeled_parents in rows)
    return tuple({tag.name: tag for tag in found}.values())


def version_of(tag: str, tag_format: str) -> str:
    """The version in a tag's name, empty when the tag is no release's."""
    before, _, after = tag_format.partition("{version}")
    middle = tag.removeprefix(before).removesuffix(after)
    own = tag == f"{before}{middle}{after}" and re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", middle)
    return middle if own else ""


def find_good(tags: Iterable[Tag], tag_format: str) -> list[str]:
    """The versions that were released and not withdrawn."""
    names = {tag.name for tag in tags}
    return [found for name in names
            if (found := version_of(name, tag_format)) and f"{WITHDRAWN}{name}" not in names]


def find_withdrawn(tags: Iterable[Tag], tag_format: str) -> tuple[str, ...]:
    """The versions that were taken back."""
    names = (tag.name.removeprefix(WITHDRAWN) for tag in tags if tag.name.startswith(WITHDRAWN))
    return tuple(sorted(found for name in names if (found := version_of(name, tag_format))))


def find_release(tags: Iterable[Tag], commit: str, tag_format: str) -> Tag | None:
    """The release that was made of ``commit``: it tags the commit itself, or the release commit on top of it."""
    releases = [tag for tag in tags if version_of(tag.name, tag_format)]
    own = [tag for tag in releases if tag.commit == commit]
    made = [tag for tag in releases if tag.parent == commit]
    return max(own or made, key=lambda tag: numbers(version_of(tag.name, tag_format)), default=None)


def render_config(release: Release, repository: str, *, inside: bool) -> str:
    """Settings for a project that has no ``[tool.semantic_release]`` of its own, as TOML.

    With paths, or ``inside`` a folder of its repository, commits count that change something there.
    """
    quoted = "|".join(re.escape(branch) for branch in release.branches)
    paths = release.paths or ((".",) if inside else ())
    return f"""[semantic_release]
version_toml = {'[]' if release.tag_only else '["pyproject.toml:project.version"]'}
tag_format = "{release.tag_format}"
commit_parser = "conventional{'-monorepo' * bool(paths)}"
allow_zero_version = true
major_on_zero = false
build_command = ""
{f"commit_parser_options = {{path_filters = {json.dumps(paths)}}}" if paths else ""}
[semantic_release.branches.release]
match = '({quoted})'
[semantic_release.changelog]
mode = "update"
insertion_flag = "<!-- version list -->"
[semantic_release.changelog.default_templates]
changelog_file = "{CHANGELOG}"
[semantic_release.remote]
type = "github"
url = "https://github.com/{repository or 'owner/name'}.git"
ignore_token_for_push = true
"""


def notes_command(folder: str, tag: str) -> Command:
    """The question which notes a tag carries."""
    return Command(name=NAME, why=f"read the notes of {tag}", folder=folder, effect=Effect.READ,
                   argv=("git", "for-each-ref", "--format=%(contents:body)", f"refs/tags/{tag}"))


def authors_command(folder: str, since: str, commit: str) -> Command:
    """The question who made the commits since the tag ``since``, or all of them; names as `.mailmap` tells."""
    return Command(name=NAME, why="ask who made the commits", folder=folder, effect=Effect.READ,
                   argv=("git", "log", "--format=%aN", f"{RELEASED}/{since}..{commit}" if since else commit, "--"))


def question(folder: str, config: str, python: str, level: str = "") -> Command:
    """Which version is due, by python-semantic-release's rules (``shipway.run.history``)."""
    return Command(name=NAME, why="ask python-semantic-release", folder=folder, env=_QUIET, effect=Effect.LOCAL,
                   argv=(python, "-m", "shipway.run.history", folder, config, *filter(None, [level])),
                   expected=(0, 1))


def stamp_command(folder: str, config: str, python: str, level: str = "") -> Command:
    """Write the version into the project's files and the changelog; commit nothing, push nothing."""
    words = ("--no-commit", "--no-tag", "--no-push", "--no-vcs-release", "--skip-build", "--changelog",
             *([f"--{level}"] if level else []))
    return Command(name=NAME, why="stamp the version and write the changelog", folder=folder, env=_QUIET,
                   effect=Effect.LOCAL,
                   argv=(python, "-m", "semantic_release", "--config", config, "version", *words))


def read_decision(answer: Answer) -> Decision:
    """The answer to the question; raises ``StepFailed`` where it is none."""
    if answer.code:
        reason = (answer.err.strip().splitlines() or ["it gave no reason"])[-1]
        raise StepFailed(f"python-semantic-release gave no version: {reason}",
                         hint="check [tool.semantic_release] and its branches against the branch that is released")
    found = json.loads(answer.out)
    return Decision(str(found["current"]), str(found["next"]))


def commit_commands(folder: str, tag: str, epoch: int) -> tuple[Command, ...]:
    """The release commit and its tag, dated by the commit that is released."""
    return _dated(folder, epoch, (
        ("add everything that was stamped", ("git", "add", "--update")),
        ("make the release commit", ("git", "commit", "--quiet", "--allow-empty", "--no-verify",
                                     "--message", f"chore(release): {tag} [skip ci]")),
        (f"tag it {tag}", ("git", "tag", "--annotate", "--message", tag, tag)),
    ))


def tag_commands(folder: str, tag: str, epoch: int, notes: str) -> tuple[Command, ...]:
    """The tag of a release without a commit of its own: what was stamped is dropped, and the tag carries the notes."""
    return _dated(folder, epoch, (
        ("drop what was stamped", ("git", "checkout", "--quiet", "--force", "HEAD")),
        ("drop what was written", ("git", "clean", "--quiet", "--force", "-d")),
        # Headings of Markdown look like comments to git.
        (f"tag it {tag}", ("git", "tag", "--annotate", "--cleanup=verbatim", "--message", f"{tag}\n\n{notes}\n", tag)),
    ))


def _dated(folder: str, epoch: int, steps: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[Command, ...]:
    name, mail = NAME_AND_MAIL
    dates = {"GIT_AUTHOR_DATE": f"{epoch} +0000", "GIT_COMMITTER_DATE": f"{epoch} +0000",
             "GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail,
             "GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": mail}
    return tuple(Command(name=NAME, why=why, argv=argv, env=dates, folder=folder, effect=Effect.LOCAL)
                 for why, argv in steps)

"""`python -m shipway.effects.history CLONE CONFIG`: which version is due, told by the commits since the last release.

python-semantic-release decides, by its own rules and settings. But it walks the whole history, and reads all tags again
for each tag. So it is shown a clone that ends at the last release: its decision depends on what is reachable from the
head and not from there, and on no tag below it (`semantic_release.version.algorithm.next_version`).

The tags of the remote lie in ``refs/released/``. Those that matter are put into ``refs/tags/``, and commits where
history ends get replacements without parents (`git-replace(1)`), which nothing that is pushed follows.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shipway.tools.git import RELEASED

if TYPE_CHECKING:
    from semantic_release.cli.config import RuntimeContext
    from semantic_release.version.version import Version


@dataclass(frozen=True, slots=True)
class Tag:
    """A release tag that is reachable from the head."""

    version: Version
    name: str
    object: str
    """Hash of the tag, which is the commit's for one without annotation."""
    commit: str


def decide(clone: Path, config: Path, level: str = "") -> tuple[str, str]:
    """The last version in the history of ``clone``'s head, empty when there is none; the next, empty when none is due.

    With a ``level`` (``major``, ``minor`` or ``patch``) the next one is of that level, whatever the commits say.
    Raises ``SemanticReleaseBaseError`` for settings that make no sense, or a branch that is not released.
    """
    from git import Repo
    from semantic_release.enums import LevelBump
    from semantic_release.errors import InvalidConfiguration
    from semantic_release.version.algorithm import next_version
    from semantic_release.version.version import Version

    rules = read_rules(clone, config)
    last = narrow(clone, rules)
    if level and rules.prerelease:
        raise InvalidConfiguration(
            "this branch makes pre-releases: the level of a version is told by its commits"
        )
    if level:
        return str(last or ""), str(
            (last or Version.parse("0.0.0")).bump(LevelBump.from_string(level))
        )
    with Repo(clone, search_parent_directories=True) as repository:
        found = next_version(
            repo=repository,
            translator=rules.version_translator,
            commit_parser=rules.commit_parser,
            prerelease=rules.prerelease,
            major_on_zero=rules.major_on_zero,
            allow_zero_version=rules.allow_zero_version,
        )
    if needs_everything(clone, rules):
        show_everything(clone)
    current = str(last or "")
    return current, "" if str(found) in (current, "0.0.0") else str(found)


def read_rules(clone: Path, config: Path) -> RuntimeContext:
    """The settings of python-semantic-release for ``clone`` and its branch."""
    from semantic_release.cli.config import GlobalCommandLineOptions, RawConfig, RuntimeContext
    from semantic_release.cli.util import load_raw_config_file

    options = GlobalCommandLineOptions(config_file=str(config))
    # Its paths are relative to the folder that it is started in.
    with contextlib.chdir(clone):
        return RuntimeContext.from_raw_config(
            RawConfig.model_validate(load_raw_config_file(config)), options
        )


def narrow(clone: Path, rules: RuntimeContext) -> Version | None:
    """Let ``clone`` end at the last full release; gives the version that the next one is counted from."""
    tags = read_tags(clone, rules)
    full = next((tag for tag in tags if not tag.version.is_prerelease), None)
    needed = [tag for tag in tags if full is None or tag.version >= full.version]
    prereleases = [
        tag
        for tag in needed
        if tag.version.is_prerelease
        and tag.version.prerelease_token == rules.version_translator.prerelease_token
    ]
    last = prereleases[0] if rules.prerelease and prereleases else full
    _set_refs(clone, {f"refs/tags/{tag.name}": tag.object for tag in needed})
    if full is None:
        return last.version if last else None
    lines = _git(clone, "rev-list", "--boundary", f"{full.commit}..HEAD").split()
    ends = {line[1:] for line in lines if line.startswith("-")} - {full.commit}
    # A pre-release below the last full release is seldom, and belongs to the history that is cut off.
    if {tag.commit for tag in needed} <= {full.commit, *lines}:
        parents = {full.commit: sorted(ends), **{commit: [] for commit in ends}}
        cut = {commit: _replacement(clone, commit, found) for commit, found in parents.items()}
        _set_refs(
            clone,
            {f"refs/replace/{commit}": other for commit, other in cut.items() if other != commit},
        )
    else:
        show_everything(clone)
    return (last or full).version


def read_tags(clone: Path, rules: RuntimeContext) -> list[Tag]:
    """The release tags that are reachable from the head, highest version first."""
    from semantic_release.errors import InvalidVersion

    form = "%(refname:lstrip=2)%09%(objectname)%09%(*objectname)"
    found: list[Tag] = []
    for line in _git(
        clone, "for-each-ref", "--merged=HEAD", RELEASED, f"--format={form}"
    ).splitlines():
        name, identity, peeled = line.split("\t")
        try:
            version = rules.version_translator.from_tag(name)
        except (NotImplementedError, InvalidVersion):
            continue
        if version:
            found.append(Tag(version, name, identity, peeled or identity))
    return sorted(found, key=lambda tag: tag.version, reverse=True)


def needs_everything(clone: Path, rules: RuntimeContext) -> bool:
    """Whether the changelog is written anew from all releases, and not only added to."""
    from semantic_release.changelog.context import ChangelogMode

    file = clone / rules.changelog_file
    return (
        rules.changelog_mode is not ChangelogMode.UPDATE
        or not file.is_file()
        or rules.changelog_insertion_flag not in file.read_text(encoding="utf-8")
    )


def show_everything(clone: Path) -> None:
    """All tags, all history."""
    rows = (
        line.split("\t")
        for line in _git(
            clone, "for-each-ref", RELEASED, "--format=%(refname:lstrip=2)%09%(objectname)"
        ).splitlines()
    )
    _set_refs(clone, {f"refs/tags/{name}": identity for name, identity in rows})
    cut = _git(clone, "for-each-ref", "refs/replace", "--format=delete %(refname)")
    _git(clone, "update-ref", "--stdin", given=cut)


def _set_refs(clone: Path, refs: dict[str, str]) -> None:
    _git(
        clone,
        "update-ref",
        "--stdin",
        given="".join(f"update {name} {value}\n" for name, value in refs.items()),
    )


def _replacement(clone: Path, commit: str, parents: list[str]) -> str:
    """Hash of a commit that is like ``commit`` but for its parents."""
    head, _, message = _git(clone, "cat-file", "commit", commit).partition("\n\n")
    kept = [
        line for line in head.splitlines() if re.match("tree |author |committer |encoding ", line)
    ]
    lines = [kept[0], *(f"parent {parent}" for parent in parents), *kept[1:]]
    return _git(
        clone,
        "hash-object",
        "-t",
        "commit",
        "-w",
        "--stdin",
        given="\n".join((*lines, "", message)),
    ).strip()


def _git(clone: Path, *words: str, given: str = "") -> str:
    # What was cut off before must not hide anything now.
    environment = {**os.environ, "GIT_NO_REPLACE_OBJECTS": "1"}
    return subprocess.run(
        ("git", *words),
        cwd=clone,
        env=environment,
        input=given,
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        errors="surrogateescape",
    ).stdout


def main() -> int:
    """Print ``{"current", "next"}``; what is wrong goes to standard error, and the status is 1."""
    from semantic_release.errors import SemanticReleaseBaseError

    clone, config, *level = sys.argv[1:4]
    try:
        current, upcoming = decide(Path(clone), Path(config), *level)
    except SemanticReleaseBaseError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"current": current, "next": upcoming}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

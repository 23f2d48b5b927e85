"""Histories of releases, and what is decided on them: from all commits, and from those since the last release.

They are made at random and written with `git fast-import`: thousands of commits a second.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from shipway.effects import history
from shipway.effects.isolation import isolated
from shipway.model.version import Version
from shipway.settings import ReleaseSettings
from shipway.tools.git import RELEASED
from shipway.tools.semantic_release import QUIET, render_config
from tests.support.repositories import CHANGELOG, PROJECT, git

MESSAGES = (
    "fix: one thing",
    "feat: another thing",
    "chore: nothing to see",
    "docs: words",
    "perf(core): less of it",
    "feat(api)!: not as before",
    "fix: more\n\nBREAKING CHANGE: call it otherwise\n",
    "no convention at all",
    "Merge things by hand (#12)\n\n* feat: of a squash\n\n* fix: of a squash, too\n",
    "fix: (#7)",
    "refactor: moved\n\nfeat: inside\n",
    "revert: feat: another thing",
    "FEAT: loud",
    "feat : spaced",
    "style:no space",
    "chore(release): v9 [skip ci]",
)

MARKS = "marks"
"""Names the file in a repository that says which commit has which mark."""


@dataclass
class History:
    """A history in the making: the text for `git fast-import`, and the head of each branch by its mark."""

    chance: random.Random
    lines: list[str] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=dict)
    parents: dict[int, tuple[int, ...]] = field(default_factory=dict)
    seconds: dict[int, int] = field(default_factory=dict)
    """When each commit was made, since 1970."""
    count: int = 1

    def begin(self) -> None:
        """The first commit, with a project that can be released."""
        files = {"pyproject.toml": PROJECT, "CHANGELOG.md": CHANGELOG}
        self.commit("main", "chore: begin", files=files)

    def commit(
        self,
        branch: str,
        message: str,
        *parents: int,
        files: dict[str, str] | None = None,
        person: str = "a <a@b>",
        seconds: int = 0,
    ) -> int:
        """A commit on top of ``branch``, or of ``parents``; gives its mark."""
        self.count += 1
        text = message.encode()
        on = parents or ((self.heads[branch],) if branch in self.heads else ())
        seconds = seconds or 1_600_000_000 + 60 * self.count
        self.seconds[self.count] = seconds
        self.lines += [
            f"commit refs/heads/{branch}",
            f"mark :{self.count}",
            f"author {person} {seconds} +0000",
            f"committer {person} {seconds} +0000",
            f"data {len(text)}",
            message,
        ]
        self.lines += [
            f"{'merge' if number else 'from'} :{parent}" for number, parent in enumerate(on)
        ]
        for name, content in (files or {}).items():
            self.lines += [f"M 100644 inline {name}", f"data {len(content.encode())}", content]
        self.heads[branch] = self.count
        self.parents[self.count] = on
        return self.count

    def forward(self, branch: str, mark: int) -> None:
        """Put a branch forward to a commit."""
        self.lines += [f"reset refs/heads/{branch}", f"from :{mark}", ""]
        self.heads[branch] = mark

    def contains(self, mark: int, other: int) -> bool:
        """Whether a commit has another one in its history."""
        marks = [mark]
        seen: set[int] = set()
        while marks:
            now = marks.pop()
            if now == other:
                return True
            if now not in seen:
                seen.add(now)
                marks += self.parents[now]
        return False

    def tag(self, name: str, mark: int, *, annotated: bool = True) -> None:
        """A tag at a commit."""
        if annotated:
            self.lines += [
                f"tag {name}",
                f"from :{mark}",
                "tagger a <a@b> 1600000000 +0000",
                f"data {len(name)}",
                name,
            ]
        else:
            self.lines += [f"reset refs/tags/{name}", f"from :{mark}", ""]

    def write(self, folder: Path) -> Path:
        """The repository; its head is `main`."""
        folder.mkdir(parents=True)
        git(folder, "init", "--quiet", "--template=", "--initial-branch=main")
        content = "\n".join((*self.lines, ""))
        git(
            folder,
            "fast-import",
            "--quiet",
            f"--export-marks={folder}/.git/{MARKS}",
            content=content,
        )
        git(folder, "remote", "add", "origin", "https://github.com/acme/toy.git")
        git(folder, "pack-refs", "--all")
        git(folder, "checkout", "--quiet", "main")
        return folder


def at_random(seed: int, commits: int) -> History:
    """Topics that are merged, squashed or left; releases on the branch, beside it and of other names; pre-releases."""
    history = History(random.Random(seed))
    history.begin()
    chance = history.chance
    numbers = [0, chance.choice((0, 1)), 0]
    topics: list[str] = []
    while history.count < commits:
        step = chance.random()
        if step < 0.45:
            history.commit("main", chance.choice(MESSAGES))
        elif step < 0.60:
            topic = f"topic-{history.count}"
            history.commit(topic, chance.choice(MESSAGES), history.heads["main"])
            topics.append(topic)
        elif step < 0.70 and topics:
            history.commit(chance.choice(topics), chance.choice(MESSAGES))
        elif step < 0.82 and topics:
            topic = topics.pop(chance.randrange(len(topics)))
            history.commit(
                "main", f"Merge branch '{topic}'", history.heads["main"], history.heads[topic]
            )
        elif step < 0.86 and topics:
            topic = chance.choice(topics)
            history.commit(
                topic, "Merge branch 'main'", history.heads[topic], history.heads["main"]
            )
        else:
            _release(history, numbers, topics)
    return history


def _release(history: History, numbers: list[int], topics: list[str]) -> None:
    chance = history.chance
    place = chance.choice((2, 2, 1, 1, 1, 0))
    numbers[place] += 1
    numbers[place + 1 :] = [0] * (2 - place)
    version = ".".join(map(str, numbers))
    kind = chance.random()
    if kind < 0.70:
        history.tag(f"v{version}", history.heads["main"], annotated=chance.random() < 0.7)
    elif kind < 0.80:
        history.tag(f"v{version}-rc.{chance.randint(1, 3)}", history.heads["main"])
    elif kind < 0.88 and topics:
        history.tag(f"v{version}", history.heads[chance.choice(topics)])
    else:
        history.tag(
            f"{chance.choice(('other-', 'release/', 'v1x'))}{version}", history.heads["main"]
        )


def heads(folder: Path, count: int) -> Iterator[str]:
    """The last commits of `main` by their first parents, newest first."""
    yield from git(folder, "rev-list", "--first-parent", f"--max-count={count}", "main").split()


def clone_of(source: Path, folder: Path) -> Path:
    """As a release's clone is: the tags lie beside, not where tags lie."""
    git(source, "clone", "--quiet", "--no-tags", "--template=", str(source), str(folder))
    git(folder, "remote", "set-url", "origin", "https://github.com/acme/toy.git")
    git(folder, "fetch", "--quiet", "--no-tags", str(source), f"+refs/tags/*:{RELEASED}/*")
    return folder


def config_of(folder: Path, *, prerelease: bool = False, mode: str = "update") -> Path:
    """Settings of a project without its own; with pre-releases on `main`, a changelog of ``mode``."""
    folder.mkdir(exist_ok=True)
    file = folder / "release.json"
    branch = "never" if prerelease else "main"
    text = render_config(ReleaseSettings(branches=(branch,)), "acme/toy", inside=False)
    if prerelease:
        config = json.loads(text)
        config["semantic_release"]["branches"]["main"] = {"match": "main", "prerelease": True}
        text = json.dumps(config, indent=2)
    file.write_text(text.replace('"mode": "update"', f'"mode": "{mode}"'))
    return file


def show_everything(clone: Path) -> None:
    """Let the clone show all tags of the remote, and all history."""
    forget(clone)
    listed = git(clone, "for-each-ref", RELEASED, "--format=%(refname:lstrip=2) %(objectname)")
    updates = "".join(f"update refs/tags/{line}\n" for line in listed.splitlines())
    git(clone, "update-ref", "--stdin", content=updates)


def whole(clone: Path, config: Path) -> str:
    """What python-semantic-release says of all history and all tags."""
    from git import Repo
    from semantic_release.version.algorithm import next_version

    show_everything(clone)
    rules = history.read_release_rules(clone, config)
    with Repo(clone) as repository:
        return str(
            next_version(
                repository,
                rules.version_translator,
                rules.commit_parser,
                allow_zero_version=rules.allow_zero_version,
                major_on_zero=rules.major_on_zero,
                prerelease=rules.prerelease,
            )
        )


def forget(clone: Path) -> None:
    """As before: no tags."""
    listed = git(clone, "for-each-ref", "refs/tags", "refs/replace", "--format=delete %(refname)")
    git(clone, "update-ref", "--stdin", content=listed + "\n" * bool(listed))


def disagreements(clone: Path, config: Path, commits: Iterator[str]) -> list[tuple[str, str, str]]:
    """Commits where both say something else: (commit, of all history, of the commits since the last release)."""
    found = []
    for head in commits:
        git(clone, "checkout", "--quiet", "--force", "-B", "main", head)
        everything = whole(clone, config)
        forget(clone)
        decision = history.decide(clone, config, environment=os.environ)
        if str(decision.upcoming or decision.current or "0.0.0") != everything:
            found.append((head, everything, f"{decision.current} → {decision.upcoming}"))
        forget(clone)
    return found


Told = set[tuple[str, str]]
"""Holds commits that python-semantic-release understands: the hash, and what was changed."""


def told_commits(clone: Path, config: Path) -> Told:
    """Give the commits that the changelog lists under the version that is due."""
    from git import Repo
    from semantic_release.changelog.release_history import ReleaseHistory

    with isolated(clone, {**os.environ, **QUIET}):
        rules = history.read_release_rules(clone, config)
        with Repo(clone) as repository:
            unreleased, _ = ReleaseHistory.from_git_history(
                repository, rules.version_translator, rules.commit_parser
            )
    results = [result for group in unreleased.values() for result in group]
    return _understood(results)


def _understood(results: Iterable[object]) -> Told:
    from semantic_release.commit_parser import ParsedCommit

    told: Told = set()
    for result in results:
        if isinstance(result, ParsedCommit):
            told.add((result.hexsha, result.descriptions[0]))
    return told


def counted_commits(clone: Path, config: Path, last: Version | None) -> Told:
    """Give the commits that the head has and the release ``last`` does not, as the origin has them."""
    from git import Repo

    since = (f"{RELEASED}/v{last}..HEAD",) if last else ("HEAD",)
    hashes = git(clone, "--no-replace-objects", "rev-list", *since).split()
    forget(clone)
    told: Told = set()
    with isolated(clone, {**os.environ, **QUIET}):
        rules = history.read_release_rules(clone, config)
        with Repo(clone) as repository:
            for name in hashes:
                parsed = rules.commit_parser.parse(repository.commit(name))
                told |= _understood(parsed if isinstance(parsed, list) else [parsed])
    return told

"""Histories as projects have them, grown at random, and what is right about each: by git alone.

Whoever grows a history knows what each commit says, so what is right is told without reading a
message: which version is the last one, which is due, and what the notes have to name.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from shipway.tools.git_clone import AUTHOR, MAIL, release_subject
from tests.support.histories import MARKS, History
from tests.support.repositories import CHANGELOG, git

NOTHING, PATCH, MINOR, MAJOR = range(4)
Numbers = tuple[int, int, int]
SHIPWAY = f"{AUTHOR} <{MAIL}>"
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-rc\.(\d+))?")
_OWN_SETTINGS = """
[tool.semantic_release]
tag_format = "{format}"
allow_zero_version = true
major_on_zero = false
version_toml = [{toml}]
[tool.semantic_release.branches.main]
match = "main"
prerelease = {prerelease}
[tool.semantic_release.branches.old]
match = "1[.]x"
[tool.semantic_release.changelog]
mode = "{mode}"
"""


@dataclass(frozen=True)
class Meaning:
    """What a commit says: the level that it calls for, and what the notes name of it."""

    level: int = NOTHING
    entries: tuple[str, ...] = ()
    is_revert: bool = False


MESSAGES: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("fix: mend {n}", PATCH, ("Mend {n}",)),
    ("fix(core): mend {n}\n\nA longer story of {n}.\n", PATCH, ("**core**: Mend {n}",)),
    ("feat: add {n}", MINOR, ("Add {n}",)),
    ("perf: speed {n}", PATCH, ("Speed {n}",)),
    ("feat(api)!: drop {n}", MAJOR, ("**api**: Drop {n}",)),
    ("fix: more {n}\n\nBREAKING CHANGE: call it otherwise\n", MAJOR, ("More {n}",)),
    ("chore: tidy {n}", NOTHING, ("Tidy {n}",)),
    ("docs: explain {n}", NOTHING, ("Explain {n}",)),
    ("words of {n}", NOTHING, ()),
    ("feat {n} without a colon", NOTHING, ()),
    ("unknown: kind {n}", NOTHING, ()),
    (
        "Bring it in {n} (#{n})\n\n* feat: squashed {n}\n\n* fix: squashed too {n}\n",
        MINOR,
        ("Squashed {n}", "Squashed too {n}"),
    ),
)


@dataclass(frozen=True, order=True)
class Number:
    """A version: its numbers, and its place among the candidates, the full one last."""

    numbers: Numbers
    is_full: bool = True
    candidate: int = 0

    def __str__(self) -> str:
        """As it is written."""
        text = ".".join(map(str, self.numbers))
        return text if self.is_full else f"{text}-rc.{self.candidate}"

    def raised(self, level: int) -> Number:
        """The full version of a higher level."""
        major, minor, patch = self.numbers
        if level == MAJOR and major:
            return Number((major + 1, 0, 0))
        if level >= MINOR:
            return Number((major, minor + 1, 0))
        return Number((major, minor, patch + 1))


def read_number(text: str) -> Number | None:
    """Read a version of the generated tags."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    major, minor, patch, candidate = match.groups()
    return Number((int(major), int(minor), int(patch)), candidate is None, int(candidate or 0))


@dataclass
class Grown:
    """A history that grows, and what is known about it."""

    seed: int
    chance: random.Random = field(init=False)
    history: History = field(init=False)
    tag_only: bool = field(init=False)
    prerelease: bool = field(init=False)
    tag_format: str = field(init=False)
    anew: bool = field(init=False)
    """Whether the changelog is written anew, from all releases."""
    inside: str = field(init=False)
    """Where the project lies in its repository: empty, or a path that ends in a slash."""
    meanings: dict[int, Meaning] = field(default_factory=dict)
    subjects: dict[int, str] = field(default_factory=dict)
    topics: list[str] = field(default_factory=list)
    highest: Number = Number((0, 0, 0))
    tags: set[str] = field(default_factory=set)
    nested: list[str] = field(default_factory=list)
    """Tags that name another tag, which names the commit."""
    foreign: set[str] = field(default_factory=set)
    """Tags that read as a version of this project, and are of another format."""

    def __post_init__(self) -> None:
        """Choose what kind of project it is, and begin it."""
        self.chance = random.Random(self.seed)
        self.history = History(self.chance)
        self.prerelease = self.chance.random() < 0.2
        self.tag_only = not self.prerelease and self.chance.random() < 0.25
        self.inside = "apps/toy/" if not self.prerelease and self.chance.random() < 0.2 else ""
        self.anew = not self.inside and self.chance.random() < 0.15
        formats = ("v{version}",) * 4 + ("{version}", "toy-{version}")
        self.tag_format = self.chance.choice(formats)
        self.say("main", "feat: begin", MINOR, ("Begin",), files=self.files("0.0.0"))

    def files(self, version: str, section: str = "") -> dict[str, str]:
        """The files of a project that states a version."""
        text = '[project]\nname = "toy"\n'
        text += 'dynamic = ["version"]\n' if self.tag_only else f'version = "{version}"\n'
        text += '[tool.shipway.release]\nbranches = ["main", "1.x"]\n'
        text += f'tag-format = "{self.tag_format}"\ntag-only = {str(self.tag_only).lower()}\n'
        if self.prerelease or self.anew:
            text += self._own_settings()
        return {
            f"{self.inside}pyproject.toml": text,
            f"{self.inside}CHANGELOG.md": CHANGELOG + section,
        }

    def _own_settings(self) -> str:
        """The release tool's settings of the project's own, in place of shipway's."""
        values = {
            "{format}": self.tag_format,
            "{toml}": "" if self.tag_only else '"pyproject.toml:project.version"',
            "{prerelease}": str(self.prerelease).lower(),
            "{mode}": "init" if self.anew else "update",
        }
        text = _OWN_SETTINGS
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    def say(
        self,
        branch: str,
        message: str,
        level: int,
        entries: Iterable[str],
        *parents: int,
        files: dict[str, str] | None = None,
        is_revert: bool = False,
    ) -> int:
        """Commit something of which the meaning is known; gives its mark.

        Inside of a folder it means nothing where it changes a file elsewhere.
        """
        counts = bool(files) or not self.inside or self.chance.random() < 0.6
        if files is None and len(parents) < 2:
            folder = self.inside if counts else "elsewhere/"
            files = {f"{folder}of-{self.history.count}": message}
        mark = self.history.commit(branch, message, *parents, files=files)
        self.meanings[mark] = Meaning(level, tuple(entries), is_revert) if counts else Meaning()
        self.subjects[mark] = message.split("\n")[0]
        return mark

    def change(self, branch: str, *parents: int) -> int:
        """Commit one of the usual messages."""
        number = str(self.history.count)
        message, level, entries = self.chance.choice(MESSAGES)
        named = [entry.replace("{n}", number) for entry in entries]
        return self.say(branch, message.replace("{n}", number), level, named, *parents)

    def merge(self, branch: str, other: str) -> None:
        """Merge one branch into another, which counts for nothing."""
        heads = self.history.heads
        self.say(branch, f"Merge branch '{other}'", NOTHING, (), heads[branch], heads[other])

    def grow(self, steps: int) -> None:
        """Let people work."""
        for _ in range(steps):
            (step,) = self.chance.choices([step for step, _ in STEPS], [much for _, much in STEPS])
            step(self)

    def tag(self, name: str, mark: int) -> bool:
        """Tag a commit, unless there is such a tag; tells whether it was made."""
        if name in self.tags:
            return False
        self.tags.add(name)
        if self.chance.random() < 0.15:
            self.nested.append(name)
        self.history.tag(name, mark, annotated=self.chance.random() < 0.6)
        return True

    def write(self, folder: Path) -> Path:
        """The repository, with tags of tags and tags that name no commit."""
        self.history.write(folder)
        for name in self.nested:
            git(folder, "tag", "--annotate", "--force", "--message", name, name, name)
        git(folder, "tag", "v0.0.0-tree", "HEAD^{tree}")
        git(folder, "tag", "license", f"HEAD:{self.inside}pyproject.toml")
        return folder

    def pick_mark(self) -> int:
        """Any commit that is there."""
        return self.chance.choice(sorted(self.meanings))

    def name(self, version: Number) -> str:
        """The tag of a version."""
        return self.tag_format.replace("{version}", str(version))

    def next_number(self) -> Number:
        """A version that is above the highest one so far, and not taken; at times a candidate."""
        level = self.chance.choice((PATCH, PATCH, MINOR, MINOR, MAJOR))
        number = self.highest.raised(level)
        if self.highest.numbers == (0, 0, 0) and self.chance.random() < 0.7:
            number = Number((1, 0, 0))
        if self.chance.random() < (0.6 if self.prerelease else 0.15):
            return Number(number.numbers, False, self.chance.randint(1, 3))
        self.highest = number
        return number


# What people do.


def work(grown: Grown) -> None:
    """A commit on main."""
    grown.change("main")


def begin_topic(grown: Grown) -> None:
    """A branch from main, or from some older commit."""
    old = grown.pick_mark() if grown.chance.random() < 0.3 else grown.history.heads["main"]
    topic = f"topic-{grown.history.count}"
    grown.change(topic, old)
    grown.topics.append(topic)


def work_on_topic(grown: Grown) -> None:
    """A commit on one of them."""
    if grown.topics:
        grown.change(grown.chance.choice(grown.topics))


def merge_topic(grown: Grown) -> None:
    """A topic comes in by a merge commit."""
    if grown.topics:
        topic = grown.topics.pop(grown.chance.randrange(len(grown.topics)))
        grown.merge("main", topic)


def take_main_in(grown: Grown) -> None:
    """A topic takes in what main has."""
    if grown.topics:
        grown.merge(grown.chance.choice(grown.topics), "main")


def merge_topics(grown: Grown) -> None:
    """A topic comes into another one."""
    if len(grown.topics) > 1:
        one, other = grown.chance.sample(grown.topics, 2)
        grown.merge(one, other)


def merge_two_topics(grown: Grown) -> None:
    """Two topics come in by one merge commit."""
    if len(grown.topics) > 1:
        heads = grown.history.heads
        ours = [heads["main"], *(heads[grown.topics.pop()] for _ in range(2))]
        grown.say("main", "Merge two branches", NOTHING, (), *ours)


def put_main_forward(grown: Grown) -> None:
    """A topic that has all of main becomes main: what was main's is its second parent's."""
    history = grown.history
    for topic in grown.topics:
        if history.contains(history.heads[topic], history.heads["main"]):
            history.forward("main", history.heads[topic])
            return


def revert(grown: Grown) -> None:
    """Something is taken back, or brought back again."""
    subject = grown.subjects[grown.pick_mark()]
    word = grown.chance.choice(("Revert", "Revert", "Reapply"))
    message = f'{word} "{subject}"\n\nThis reverts commit {"a" * 40}.\n'
    grown.say("main", message, NOTHING, (f'{word} "{subject}"',), is_revert=True)


def pick(grown: Grown) -> None:
    """A commit of a topic is picked onto main: the same words twice."""
    mark = grown.pick_mark()
    meaning, subject = grown.meanings[mark], grown.subjects[mark]
    entries = meaning.entries
    if subject.startswith(("feat:", "fix:", "perf:")) and len(entries) == 1:
        level = MINOR if subject.startswith("feat:") else PATCH
        grown.say("main", subject, level, entries)


def tag_by_hand(grown: Grown) -> None:
    """A person tags main's head."""
    number = grown.next_number()
    grown.tag(grown.name(number), grown.history.heads["main"])


def tag_twice(grown: Grown) -> None:
    """A candidate and its release name one commit."""
    number = grown.highest.raised(MINOR)
    grown.highest = number
    head = grown.history.heads["main"]
    grown.tag(grown.name(Number(number.numbers, False, 1)), head)
    grown.tag(grown.name(number), head)


def release_by_shipway(grown: Grown, branch: str = "main") -> None:
    """A release commit, as shipway makes it; with tags alone its tag."""
    number = grown.next_number()
    tag = grown.name(number)
    base = grown.history.heads[branch]
    if grown.tag_only:
        grown.tag(tag, base)
    if tag in grown.tags:
        return
    section = f"\n## {tag} (2020-01-01)\n\n- Words of {number}\n"
    mark = grown.history.commit(
        branch,
        release_subject(tag),
        files=grown.files(str(number), section),
        person=SHIPWAY,
        seconds=grown.history.seconds[base],
    )
    grown.meanings[mark] = Meaning()
    grown.subjects[mark] = release_subject(tag)
    grown.tag(tag, mark)


def tag_a_topic(grown: Grown) -> None:
    """A tag stands on a branch that may never come in."""
    if grown.topics:
        topic = grown.chance.choice(grown.topics)
        grown.tag(grown.name(grown.next_number()), grown.history.heads[topic])


def tag_otherwise(grown: Grown) -> None:
    """A tag of another format: of another package, a marker, or a version of this project."""
    number = Number((grown.highest.numbers[0], grown.chance.randint(0, 9), 0))
    names = [f"other-{number}", f"other/v{number}", "nightly", f"before-{number}-things"]
    own = [f"release/{number}", str(number), f"v{number}", f"toy-{number}", f"toy/v{number}"]
    name = grown.chance.choice(names * 3 + own)
    if read_number(strip(name, grown.tag_format) or ""):
        return
    is_of_toy = grown.tag_format.startswith("toy")
    if name in own and is_of_toy is name.startswith("toy") or name.startswith("toy"):
        grown.foreign.add(name)
    grown.tag(name, grown.pick_mark())


def withdraw(grown: Grown) -> None:
    """The highest version is taken back."""
    if grown.highest.numbers != (0, 0, 0):
        grown.tag(f"withdrawn/{grown.name(grown.highest)}", grown.pick_mark())


def work_on_old_line(grown: Grown) -> None:
    """An older line goes on, from some commit that was there."""
    if "1.x" in grown.history.heads:
        grown.change("1.x")
    else:
        grown.change("1.x", grown.pick_mark())


def merge_old_line(grown: Grown) -> None:
    """What the older line has comes into main."""
    if "1.x" in grown.history.heads:
        grown.merge("main", "1.x")


def release_old_line(grown: Grown) -> None:
    """A release of the older line."""
    if "1.x" in grown.history.heads:
        release_by_shipway(grown, "1.x")


def take_another_project_in(grown: Grown) -> None:
    """A branch that has no commit in common with the others comes in."""
    name = f"other-{grown.history.count}"
    files = grown.files("0.0.0")
    grown.say(name, "feat: from elsewhere", MINOR, ("From elsewhere",), files=files)
    grown.merge("main", name)


STEPS: tuple[tuple[Callable[[Grown], None], int], ...] = (
    (work, 24),
    (begin_topic, 12),
    (work_on_topic, 10),
    (merge_topic, 10),
    (take_main_in, 6),
    (merge_topics, 2),
    (merge_two_topics, 2),
    (put_main_forward, 4),
    (revert, 5),
    (pick, 3),
    (tag_by_hand, 5),
    (tag_twice, 2),
    (release_by_shipway, 7),
    (tag_a_topic, 2),
    (tag_otherwise, 3),
    (withdraw, 1),
    (work_on_old_line, 4),
    (merge_old_line, 2),
    (release_old_line, 2),
    (take_another_project_in, 1),
)


def strip(tag: str, tag_format: str) -> str | None:
    """What stands in a tag where its format has the version."""
    before, after = tag_format.split("{version}")
    if tag.startswith(before) and tag.endswith(after):
        return tag[len(before) : len(tag) - len(after)]
    return None


# What is right.


@dataclass(frozen=True)
class Answer:
    """What is said of a commit: the last version, the next one, the tag that was made of it."""

    current: str | None = None
    upcoming: str | None = None
    made: str | None = None
    refusal: str = ""


@dataclass
class Oracle:
    """Reads a written history by plumbing, and says what is right for a commit on a branch."""

    grown: Grown
    folder: Path
    marks: dict[str, int] = field(init=False)
    tags: dict[str, str] = field(init=False)
    """The commit of each tag."""

    def __post_init__(self) -> None:
        """Read which commit is which, and what is tagged."""
        lines = (self.folder / ".git" / MARKS).read_text().split("\n")
        pairs = (line.split() for line in lines if line)
        self.marks = {commit: int(mark[1:]) for mark, commit in pairs}
        listed = git(
            self.folder, "for-each-ref", "refs/tags", "--format=%(refname:lstrip=2) %(objectname)"
        )
        names = [line.split(" ")[0] for line in listed.split("\n") if line]
        self.tags = {name: git(self.folder, "rev-parse", f"{name}^{{}}") for name in names}

    def numbers(self) -> dict[Number, str]:
        """The commit of each release."""
        numbers: dict[Number, str] = {}
        for tag, commit in self.tags.items():
            number = read_number(strip(tag, self.grown.tag_format) or "")
            if number:
                numbers[number] = commit
        return numbers

    def usable(self) -> list[Number]:
        """The versions that were not taken back."""
        return [
            number
            for number in self.numbers()
            if f"withdrawn/{self.grown.name(number)}" not in self.tags
        ]

    def between(self, last: Number | None, head: str) -> list[str]:
        """The commits that the head has and the last release has not."""
        words = ["rev-list", head]
        if last:
            words.append(f"^{self.numbers()[last]}")
        return git(self.folder, *words).split()

    def made_of(self, head: str, branch: str) -> Number | None:
        """The release that was made of a commit on a branch, or of the tag that is checked out."""
        numbers = self.numbers()
        on_head = sorted(number for number, commit in numbers.items() if commit == head)
        if self.grown.tag_only or not branch:
            return on_head[-1] if on_head else None
        above = git(self.folder, "rev-list", "--parents", f"refs/heads/{branch}").split("\n")
        children = {words.split()[0] for words in above if words.split()[1:] == [head]}
        on_top = sorted(number for number, commit in numbers.items() if commit in children)
        for number in (*reversed(on_head), *reversed(on_top)):
            if self._is_ours(number, numbers[number]) and self._counts(number, branch):
                return number
        return None

    def _is_ours(self, number: Number, commit: str) -> bool:
        return self.grown.subjects[self.marks[commit]] == release_subject(self.grown.name(number))

    def _counts(self, number: Number, branch: str) -> bool:
        return number.is_full or not branch or self._makes_candidates(branch)

    def _makes_candidates(self, branch: str) -> bool:
        return self.grown.prerelease and branch == "main"

    def last(self, head: str, branch: str) -> tuple[Number | None, Number | None]:
        """The last release that a branch counts from, and the last full one."""
        reached = set(git(self.folder, "rev-list", head).split())
        numbers = sorted(number for number, at in self.numbers().items() if at in reached)
        fulls = [number for number in numbers if number.is_full]
        full = fulls[-1] if fulls else None
        if not self._makes_candidates(branch):
            return full, full
        later = [number for number in numbers if full is None or number > full]
        return (later[-1] if later else full), full

    def answer(self, head: str, branch: str) -> Answer:
        """What is right for a commit."""
        made = self.made_of(head, branch)
        if made:
            return Answer(str(made), None, self.grown.name(made))
        if self._has_foreign():
            return Answer(refusal="SettingsError")
        last, full = self.last(head, branch)
        current = str(last) if last else None
        upcoming = self._upcoming(head, last, full, branch)
        if upcoming is None:
            return Answer(current)
        if upcoming < self._stated(head):
            return Answer(refusal="SettingsError")
        numbers = self.numbers()
        highest = max((number for number in self.usable() if number.is_full), default=upcoming)
        is_behind = (branch == "main" or last is None) and highest > upcoming
        if upcoming in numbers or is_behind:
            return Answer(refusal="Conflict")
        return Answer(current, str(upcoming))

    def _stated(self, head: str) -> Number:
        """The version that the project states itself; with tags alone it states none."""
        text = git(self.folder, "show", f"{head}:{self.grown.inside}pyproject.toml")
        stated = re.search(r'(?m)^version = "(.*)"$', text)
        number = read_number(stated[1]) if stated else None
        return number or Number((0, 0, 0))

    def _has_foreign(self) -> bool:
        """Whether a version of another format is above all others."""
        foreign: list[Number] = []
        for name in self.grown.foreign:
            number = re.search(r"\d+\.\d+\.\d+$", name)
            if number and f"withdrawn/{name}" not in self.tags:
                foreign += filter(None, [read_number(number[0])])
        if not foreign:
            return False
        return max(self.usable(), default=Number((-1, 0, 0))) < max(foreign)

    def _upcoming(
        self, head: str, last: Number | None, full: Number | None, branch: str
    ) -> Number | None:
        commits = self.between(last, head)
        level = max((self._meaning(commit).level for commit in commits), default=NOTHING)
        if level == NOTHING:
            return None
        base = full or Number((0, 0, 0))
        if not self._makes_candidates(branch):
            return base.raised(level)
        if last and not last.is_full and base.raised(level).numbers <= last.numbers:
            return Number(last.numbers, False, last.candidate + 1)
        return Number(base.raised(level).numbers, False, 1)

    def _meaning(self, commit: str) -> Meaning:
        meaning = self.grown.meanings[self.marks[commit]]
        parents = git(self.folder, "rev-list", "--parents", "--max-count=1", commit).split()[1:]
        return Meaning() if len(parents) > 1 else meaning

    def entries(self, head: str, branch: str) -> tuple[list[tuple[str, str]], set[str]]:
        """What the notes name of a version that is due: (hash, words) of each change; and reverts."""
        last, _ = self.last(head, branch)
        changes: list[tuple[str, str]] = []
        reverts: set[str] = set()
        for commit in self.between(last, head):
            meaning = self._meaning(commit)
            if meaning.is_revert:
                reverts.add(commit[:7])
            else:
                changes += [(commit[:7], entry) for entry in meaning.entries]
        return sorted(changes), reverts

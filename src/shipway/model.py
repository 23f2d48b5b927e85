"""The words that all stages speak: commands, answers, findings, the target; the world has a file of its own.

All of it is frozen data. A stage is pure: its questions are a generator that yields commands and is sent their
answers, so that ``run/`` alone touches processes and sockets, and a test plays the remotes with a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

from shipway.recipe import Building, Signing
from shipway.world import Json, Point, Published, World

__all__ = [
    "Action", "Answer", "Asking", "Command", "Effect", "Finding", "Json", "Point", "Published", "Request",
    "Signing", "Stage", "State", "Target", "World",
]


class Effect(StrEnum):
    """What a command does to the world outside its own process."""

    READ = "read"
    """Asks and changes nothing; a dry run may run it."""
    LOCAL = "local"
    """Changes temporary files of this machine only."""
    PUBLISH = "publish"
    """Changes something that other people can see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to run.

    ``why`` is one line for people. ``env`` is public and printed; ``secrets`` are *names* of environment variables
    that the program may see, never their values. ``expected`` are the exit codes that carry an answer: any other one
    means that the question could not be asked. ``folder`` is the working folder, the current one when empty.
    """

    name: str
    why: str
    argv: tuple[str, ...]
    effect: Effect
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """(what to do next, names of variables): it is not started where none of these is set."""
    expected: tuple[int, ...] = (0,)
    folder: str = ""
    live: bool = False
    """Its progress is worth watching: stderr is shown as it comes."""
    hints: tuple[tuple[str, str], ...] = ()
    """(regular expression, what to do next): known failures of the program, told by what it says."""
    side_by_side: bool = False
    """It may run beside the others of its plan, which all say so."""
    otherwise: tuple[str, tuple[str, ...]] | None = None
    """(regular expression, arguments): where it fails and says so, it is run once more with these."""
    again: str = ""
    """Regular expression of troubles that pass: a question is asked again at once; after anything else the stage looks
    what is there, and does what is still missing.
    """
    remark: Callable[[Answer], str] | None = None
    """What people want to know of its answer, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to GitHub's REST API. ``path`` begins with ``/repos/…`` or is a full address that the API gave.

    ``expected`` are the HTTP statuses that carry an answer, 404 among them where "not there" is one.
    """

    name: str
    why: str
    method: str
    path: str
    effect: Effect
    body: Mapping[str, Json] = field(default_factory=dict)
    content: bytes = b""
    expected: tuple[int, ...] = (200, 201, 204)


Action: TypeAlias = Command | Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the exit code (or HTTP status), standard output (or the body) and standard error as text."""

    code: int
    out: str = ""
    err: str = ""


class State(StrEnum):
    """What an observation says of one thing."""

    ABSENT = "absent"
    SAME = "same"
    CONFLICT = "conflict"
    """Something else is published in its place; shipway never overwrites it."""
    FAULT = "fault"
    """It is there, and a consumer must not trust it."""
    UNKNOWN = "unknown"
    """The remote could not be asked, which says nothing about what is there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict of a stage about the world, with the evidence that a person would want to see."""

    state: State
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What should exist when the pipeline has run. ``version`` is empty for branches and pull requests."""

    image: str
    commit: str
    """Full hash of the commit that the image is built from; for a release, of the release commit."""
    branch: str
    channel: str
    """``branch``, ``pull-request``, ``release`` or ``prerelease`` (see ``shipway.tags``)."""
    staging: str
    """The tag that an image is pushed under before it is signed and verified: ``sha-…``."""
    tags: tuple[str, ...]
    """The tags that people follow, in order of priority; they move only after verification."""
    platforms: tuple[str, ...]
    folder: str
    """The checkout of ``commit`` that commands run in."""
    remote: str = "origin"
    version: str = ""
    tag: str = ""
    """The git tag of the release."""
    base: str = ""
    """Full hash of the branch's head in the origin when the release was decided; empty where there was none."""
    notes: str = ""
    previous: str = ""
    """The version before it that people use, empty where there is none."""
    latest: bool = False
    """This is the highest stable version: it takes ``latest`` in the registry, on GitHub and in the docs."""
    withdrawn: tuple[str, ...] = ()
    """Versions that were taken back: they stand in no other's way."""
    repository: str = ""
    """``owner/name`` on GitHub."""
    signing: Signing = field(default_factory=Signing)
    build: Building = field(default_factory=Building)
    parts: tuple[str, ...] = ()
    """Digests of images of one platform each that are merged, in place of a build."""
    labels: Mapping[str, str] = field(default_factory=dict)
    licenses: tuple[str, ...] = ()
    """Licenses that packages of the image may have; any when empty."""
    builder: str = ""
    """Address of the CI run, which becomes the builder's identity in the provenance; empty on a laptop."""
    docs: str = ""
    """The docs version to publish (``1.2``), empty when the project has no docs."""
    docs_branch: str = "gh-pages"
    docs_config: str = "mkdocs.yml"


Asking: TypeAlias = Generator[tuple[Action, ...], tuple[Answer, ...], World]
"""A conversation with the remotes: yields questions that may be asked side by side, is sent their answers in the same
order, and returns the world that it saw."""


class Stage(Protocol):
    """One file in ``stages/``. Everything about a stage stands there, its tools' flags included."""

    @property
    def NAME(self) -> str:  # pylint: disable=invalid-name
        """The stage's name in reports, one word."""

    def due(self, target: Target) -> str:
        """The reason why the target does not need this stage, empty when it does."""

    def observe(self, target: Target, world: World) -> Asking:
        """Ask the remotes about this stage's thing and return the world with what they showed."""

    def judge(self, target: Target, world: World) -> Finding:
        """Compare target and world. Pure."""

    def plan(self, target: Target, world: World) -> tuple[Action, ...]:
        """The next actions towards what is absent; it is observed again after them. Pure."""

    def settle(self, target: Target, world: World) -> World:
        """The world after those actions, as a model: for dry runs and for proofs of convergence. Pure."""

"""This module describes as frozen data what shipway does to the world, and what comes back.

Nothing here runs anything: ``effects/`` carries actions out, stages plan them, a dry run prints
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, TypeAlias, TypeVar

from shipway.image.contents import BrokenPart, Contents
from shipway.model.release import Decision

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
Answered_co = TypeVar("Answered_co", covariant=True)
Reply = TypeVar("Reply")


class Effect(StrEnum):
    """Says what an action does to the world outside its own process."""

    READ = "read"
    """Asks and changes nothing; a dry run may run it."""
    LOCAL = "local"
    """Changes temporary files of this machine only."""
    PUBLISH = "publish"
    """Changes something that other people can see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Generic[Answered_co]):
    """Describes something to carry out; an answer of type ``Answered_co`` comes back.

    ``name`` is the stage or task that it belongs to, ``why`` says in one line what it is for.
    """

    name: str
    why: str
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Holds what a command or a request gave back.

    ``code`` is the exit status of a command or the HTTP status of a request, ``out`` its standard
    output or the body, ``err`` its standard error.
    """

    code: int
    out: str = ""
    err: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """Says what to do next where a program fails and ``pattern`` matches what it printed.

    ``pattern`` is a regular expression.
    """

    pattern: str
    advice: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """Requires that one of ``variables`` of the environment is set.

    Without, the program would wait for a person.
    """

    variables: tuple[str, ...]
    advice: str


@dataclass(frozen=True, slots=True)
class Fallback:
    """Holds a command line to run once where a command fails and ``pattern`` matches its errors.

    ``reason`` says in a few words what failed then, for people.
    """

    pattern: str
    reason: str
    argv: tuple[str, ...]
    pause: float = 0.0
    """Says how many seconds to wait before."""
    rest: tuple[Fallback, ...] | None = None
    """Holds what may be tried after it; the command's other fallbacks when ``None``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Action[Answer]):
    """Describes a program to run.

    ``env`` is public and printed. ``secrets`` are *names* of environment variables that the program
    may see, never their values. ``expected`` are the exit codes that carry an answer: any other one
    means that the question could not be asked. ``folder`` is the working folder, the current one
    when it is empty.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    requires: Requirement | None = None
    expected: tuple[int, ...] = (0,)
    folder: str = ""
    stdin: ReadPredicate | None = None
    """Holds the question whose answer the program reads on its standard input."""
    live: bool = False
    """Says that its progress is worth watching: standard error is shown as it comes."""
    hints: tuple[Hint, ...] = ()
    label: str = ""
    """Stands before what people see of it, where it runs beside others of its kind."""
    side_by_side: bool = False
    """Says that it may run beside the other commands of its plan, where all of them say so."""
    permanent: bool = False
    """Says that it leaves something behind each time, such as an entry in a public log or an image
    in a registry: what went well once is not done again in the same run.
    """
    fallbacks: tuple[Fallback, ...] = ()
    """Say what to do where it fails in a way that is known; each is tried once."""
    passing: str = ""
    """Matches troubles that pass, as a regular expression. A question is asked again at once. After
    anything else the stage looks at what is there, and does what is still missing.
    """
    remark: Callable[[Answer], str] | None = None
    """Makes one line of the answer that people want to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Action[Answer]):
    """Describes a request to GitHub's REST API.

    ``path`` begins with ``/repos/…`` or is a full address that the API gave. ``expected`` are the
    HTTP statuses that carry an answer, 404 among them where "not there" is one. ``permission`` is
    what a token needs for it, as a workflow grants it.
    """

    method: str
    path: str
    permission: str = "contents: write"
    body: Mapping[str, Json] = field(default_factory=dict)
    content: bytes = b""
    expected: tuple[int, ...] = (200, 201, 204)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Action[Answered_co]):
    """Describes a question that shipway answers itself, in this process. It changes nothing.

    While it is answered the process sees public variables only, and of the secrets those that
    ``secrets`` names.
    """

    effect: Effect = Effect.READ
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadImage(Question[Contents]):
    """Asks what is in the image ``image`` at ``digest``, with the logins of the Docker client."""

    image: str
    digest: str

    @property
    def argv(self) -> tuple[str, ...]:
        """Give the command line that answers the same question."""
        image = f"{self.image}@{self.digest}"
        return ("shipway", "inspect", image)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindBroken(Question[tuple[BrokenPart, ...]]):
    """Asks which parts of the image ``image`` at ``digest`` are not there; no layer is read."""

    image: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBundles(Question[Mapping[str, tuple[str, ...]]]):
    """Asks which Sigstore bundles a registry has: the predicate types of each of ``digests``."""

    image: str
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPredicate(Question[bytes]):
    """Asks for the predicate of ``predicate_type`` in the manifest at ``digest``, as JSON."""

    image: str
    digest: str
    predicate_type: str

    @property
    def argv(self) -> tuple[str, ...]:
        """Give the command line that answers the same question."""
        image = f"{self.image}@{self.digest}"
        return ("shipway", "inspect", image, "--predicate", self.predicate_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePackages(Question[str]):
    """Asks which packages changed from ``previous`` to ``image`` (references), as Markdown.

    The answer is empty where one of them has no SBOM.
    """

    image: str
    previous: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextVersion(Question[Decision]):
    """Asks which version is due in the clone ``folder``.

    The rules are python-semantic-release's, in the file ``config``.
    With ``level`` (``major``, ``minor`` or ``patch``) the next version is of that level, whatever
    the commits say.
    """

    folder: str
    config: str
    level: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSettings(Question[tuple[tuple[str, str], ...]]):
    """Asks which settings of git are in force in ``folder``: name and value, in their order."""

    folder: str


PlannedAction: TypeAlias = "Command | Request | ReadImage"
"""Names what a stage plans: all of it can be printed as a line of shell."""


class Ask(Protocol):
    """Asks the remotes. Both raise ``StepFailed`` where something could not be asked."""

    def __call__(self, question: Action[Reply], /) -> Reply:
        """Ask one question."""

    def each(self, questions: Iterable[Action[Reply]], /) -> tuple[Reply, ...]:
        """Ask all of them side by side, and give the answers in their order."""

"""This module writes how ``docker buildx imagetools`` asks and tells a registry about images.

buildx uses the logins of the Docker client, so that shipway handles no registry password itself.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from shipway.errors import StepFailed
from shipway.image.index import Index, parse_index
from shipway.model.actions import Answer, Ask, Command, Effect, Hint

_ABSENT = re.compile(
    r": not found|manifest unknown|name unknown|NAME_UNKNOWN|MANIFEST_UNKNOWN", re.IGNORECASE
)
PASSING = (
    r"(?i)\b(?:429|500|502|503|504)\b|too many requests|toomanyrequests|service unavailable|"
    r"bad gateway|connection (?:refused|reset)|i/o timeout|TLS handshake timeout|unexpected EOF|"
    r"early EOF|temporary failure|hung up unexpectedly|deadline exceeded"
)
"""Matches troubles of a registry or an origin that pass, as the Go tools and git tell them."""
_REFUSED = re.compile(r"\b(?:401|403)\b|unauthorized|denied|forbidden", re.IGNORECASE)


def inspect_reference(reference: str, *, template: str = "{{json .Manifest}}") -> Command:
    """Ask what stands behind ``reference`` (``name:tag`` or ``name@digest``)."""
    words = ("imagetools", "inspect", reference, "--format", template)
    return Command(
        name="registry",
        why=f"ask the registry for {reference}",
        argv=("docker", "buildx", *words),
        effect=Effect.READ,
        expected=(0, 1),
        passing=PASSING,
    )


def create_index(
    name: str,
    why: str,
    references: Iterable[str],
    sources: Iterable[str],
    *,
    annotations: Iterable[str] = (),
    hints: tuple[Hint, ...] = (),
) -> Command:
    """Put an index under each of ``references`` (``name:tag``).

    One source (``name@digest``) is copied unchanged, so that its signature still holds; of several
    a new index is made. ``annotations`` are values of ``--annotation``.
    """
    argv = ["docker", "buildx", "imagetools", "create"]
    for reference in references:
        argv += ["--tag", reference]
    for annotation in annotations:
        argv.append(f"--annotation={annotation}")
    return Command(
        name=name,
        why=why,
        argv=(*argv, *sources),
        effect=Effect.PUBLISH,
        hints=hints,
        passing=PASSING,
    )


def read_index(answer: Answer, reference: str) -> Index | None:
    """Read the index behind ``reference``, ``None`` where the registry says that it has none.

    Anything else that is not an answer raises ``StepFailed``: "could not ask" is never "not there".
    """
    if answer.code == 0:
        return _parse(answer.out, reference)
    if _ABSENT.search(answer.err):
        return None
    reason = read_reason(answer)
    if _REFUSED.search(reason):
        host = reference.partition("/")[0]
        raise StepFailed(
            f"the registry refuses to show {reference}: {reason}",
            hint=f"log in with `docker login {host}` and check the permissions",
        )
    raise StepFailed(
        f"could not ask the registry for {reference}: {reason}",
        hint="check that the registry answers, then run the same command again",
    )


def find_indexes(references: Sequence[str], ask: Ask) -> list[Index | None]:
    """Ask side by side what stands behind each of ``references``; ``None`` where nothing does."""
    questions = [inspect_reference(reference) for reference in references]
    answers = ask.each(questions)
    rows = zip(answers, references, strict=True)
    return [read_index(answer, reference) for answer, reference in rows]


def read_reason(answer: Answer) -> str:
    """Give the last line of what a program printed as its error."""
    lines = answer.err.strip().splitlines()
    return lines[-1] if lines else "no reason given"


def _parse(text: str, reference: str) -> Index:
    try:
        return parse_index(text)
    except ValueError as error:
        raise StepFailed(
            f"the registry's answer for {reference} cannot be read: {error}",
            hint="look at it with `docker buildx imagetools inspect`",
        ) from error

"""How a registry is asked about images, through ``docker buildx imagetools``, and how its answers are read.

buildx uses the logins of the Docker client, so that shipway handles no registry password itself.
"""

from __future__ import annotations

import re

from shipway.errors import StepFailed
from shipway.image.index import Index, parse_index
from shipway.model.actions import Answer, Command, Effect

_ABSENT = re.compile(
    r": not found|manifest unknown|name unknown|NAME_UNKNOWN|MANIFEST_UNKNOWN", re.IGNORECASE
)
PASSING = (
    r"(?i)\b(?:429|500|502|503|504)\b|too many requests|toomanyrequests|service unavailable|bad gateway|"
    r"connection (?:refused|reset)|i/o timeout|TLS handshake timeout|unexpected EOF|early EOF|temporary failure|"
    r"hung up unexpectedly|deadline exceeded"
)
"""Troubles of a registry or an origin that are over in a moment, as the Go tools and git tell them."""
_REFUSED = re.compile(r"401|403|unauthorized|denied|forbidden", re.IGNORECASE)


def inspect(reference: str, *, shape: str = "{{json .Manifest}}") -> Command:
    """The question what stands behind ``reference`` (``name:tag`` or ``name@digest``)."""
    return Command(
        name="registry",
        why=f"ask the registry for {reference}",
        argv=("docker", "buildx", "imagetools", "inspect", reference, "--format", shape),
        effect=Effect.READ,
        expected=(0, 1),
        again=PASSING,
    )


def _read_text(answer: Answer, reference: str) -> str | None:
    """The text of the answer, ``None`` when the registry says that there is no such thing.

    Anything else that is not an answer raises ``StepFailed``: "could not ask" is never "not there".
    """
    if answer.code == 0:
        return answer.out
    if _ABSENT.search(answer.err):
        return None
    reason = (answer.err.strip().splitlines() or ["no reason given"])[-1]
    if _REFUSED.search(reason):
        raise StepFailed(
            f"the registry refuses to show {reference}: {reason}",
            hint=f"log in with `docker login {reference.partition('/')[0]}` and check the permissions",
        )
    raise StepFailed(
        f"could not ask the registry for {reference}: {reason}",
        hint="check that the registry answers, then run the same command again",
    )


def read_index(answer: Answer, reference: str) -> Index | None:
    """The index behind ``reference``, ``None`` when there is none."""
    text = _read_text(answer, reference)
    if text is None:
        return None
    try:
        return parse_index(text)
    except ValueError as error:
        raise StepFailed(
            f"the registry's answer for {reference} cannot be read: {error}",
            hint="look at it with `docker buildx imagetools inspect`",
        ) from error

"""This module says in which form an image's attestations are pushed. Pure.

From 0.32 on BuildKit pushes them as OCI artifacts, each with the image that it is about as its
subject, where its exporter's attribute `oci-artifact` does not say otherwise. A registry has to
take a subject that it does not have yet (OCI distribution specification 1.1); gitlab.com's does not
(moby/buildkit#7007). BuildKit 0.19 was the first to know the attribute, and an older one takes it
for a note of the image's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from shipway.model.actions import Command, Fallback, Hint

_REFUSED = (
    r"(?i)blob unknown to registry|MANIFEST_BLOB_UNKNOWN|manifest blob unknown|"
    r"failed to push .*(?:manifest[ _]invalid|(?:unknown|unsupported) (?:config )?media ?type|"
    r"vnd\.oci\.empty|artifactType)"
)
"""Matches what a registry says that misses the subject of an artifact, or knows no artifacts."""
_ADVICE = "set `oci-artifact = false` in [tool.shipway.build]"
_HINT = Hint(
    _REFUSED,
    f"the registry takes no attestations as OCI artifacts: {_ADVICE}",
)


def choose_form(command: Command, artifact: bool | None) -> Command:
    """Let a build push its attestations as artifacts, or not; ``None`` leaves it to BuildKit.

    What BuildKit chose is tried first, and where the registry refuses it, the form before artifacts.
    """
    hints = (_HINT, *command.hints)
    if artifact is not None:
        return replace(
            command,
            argv=_write_form(command.argv, artifact=artifact),
            hints=hints,
            fallbacks=_rewrite(command.fallbacks, artifact=artifact),
        )
    older = Fallback(
        _REFUSED,
        f"the registry takes no attestations as OCI artifacts ({_ADVICE})",
        _write_form(command.argv, artifact=False),
        rest=_rewrite(command.fallbacks, artifact=False),
    )
    # What is waited for comes last.
    fallbacks = (*command.fallbacks[:-1], older, *command.fallbacks[-1:])
    return replace(command, hints=hints, fallbacks=fallbacks)


def _rewrite(fallbacks: Iterable[Fallback], *, artifact: bool) -> tuple[Fallback, ...]:
    """Let each other way of a build push its attestations in the same form."""
    rewritten: list[Fallback] = []
    for fallback in fallbacks:
        argv = _write_form(fallback.argv, artifact=artifact)
        other = replace(fallback, argv=argv)
        rewritten.append(other)
    return tuple(rewritten)


def _write_form(argv: Iterable[str], *, artifact: bool) -> tuple[str, ...]:
    """Write the attribute into what is said of the image that is pushed."""
    form = "true" if artifact else "false"
    words: list[str] = []
    for word in argv:
        if word.startswith("--output=type=image,"):
            word = f"{word},oci-artifact={form}"
        words.append(word)
    return tuple(words)

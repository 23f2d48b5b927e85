"""This module writes how ``docker buildx imagetools`` asks and tells a registry about images.

buildx uses the logins of the Docker client, so that shipway handles no registry password itself.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from shipway.errors import StepFailed
from shipway.image.index import SUBJECT, Index, parse_index, parse_manifest
from shipway.model.actions import Answer, Ask, Command, Effect, Hint
from shipway.tools.troubles import PASSING

INDEX_DIGEST = '{{printf "%s" .Manifest.Digest}}'
"""Prints the digest of an index; by `printf`, since buildx prints its whole table for a template that
starts with `.Manifest` (docker/buildx#1175).
"""
_PICK = "{{{{range .Manifest.Manifests}}}}{{{{if {test}}}}}{{{{.Digest}}}}{{{{end}}}}{{{{end}}}}"
"""Prints the digest of each entry of an index for which ``test`` holds."""
_ABSENT = re.compile(
    r": not found|manifest unknown|name unknown|NAME_UNKNOWN|MANIFEST_UNKNOWN", re.IGNORECASE
)
PUT_BACK = (
    "nothing was changed: put the very same manifests back, from a mirror or a copy "
    "(`docker buildx imagetools create`), and run the same command again, or release a new version"
)
"""Says what to do about a released image that is broken: its version never gets another digest."""
_REFUSED = re.compile(r"\b(?:401|403)\b|unauthorized|denied|forbidden", re.IGNORECASE)


def inspect_reference(reference: str, *, template: str = "{{json .Manifest}}") -> Command:
    """Ask what stands behind ``reference`` (``name:tag`` or ``name@digest``)."""
    return _inspect(reference, reference, "--format", template)


def pick_image(platform: str) -> str:
    """Write the template that prints the digest of an index's image of ``platform``."""
    system, machine, *variant = platform.split("/")
    system = system.partition("(")[0]
    test = f'and (eq .Platform.OS "{system}") (eq .Platform.Architecture "{machine}")'
    if variant:
        name = variant[0]
        test += f' (eq .Platform.Variant "{name}")'
    return _PICK.format(test=test)


def pick_attestation(subject: str) -> str:
    """Write the template that prints the digest of the attestation of the image ``subject``."""
    test = f'eq (index .Annotations "{SUBJECT}") "{subject}"'
    return _PICK.format(test=test)


def inspect_manifest(reference: str) -> Command:
    """Ask for the manifest of ``reference`` itself, whatever is below it."""
    subject = f"the manifest of {reference}"
    return _inspect(reference, subject, "--raw")


def _inspect(reference: str, subject: str, *flags: str) -> Command:
    """Ask the registry for ``subject``; what is not there is an answer."""
    words = ("imagetools", "inspect", reference, *flags)
    return Command(
        name="registry",
        why=f"ask the registry for {subject}",
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

    Anything else that is not an answer raises ``StepFailed``: "could not ask" is never "not there",
    and neither is an index whose parts are not there.
    """
    if answer.code == 0:
        return _parse(answer.out, reference, parse_index)
    if _ABSENT.search(answer.err) and not _list_others(answer, reference):
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
    """Ask side by side what stands behind each of ``references``; ``None`` where nothing does.

    buildx asks for all that an index names, too, and says "not found" of that as well. So where it
    does not say so of the reference itself, the reference's own manifest is asked for.
    """
    questions = [inspect_reference(reference) for reference in references]
    answers = ask.each(questions)
    indexes: list[Index | None] = []
    for answer, reference in zip(answers, references, strict=True):
        if _leaves_open(answer, reference):
            others = _list_others(answer, reference)
            index = _find_broken(reference, others, ask)
        else:
            index = read_index(answer, reference)
        indexes.append(index)
    return indexes


def _leaves_open(answer: Answer, reference: str) -> bool:
    """Tell whether an answer leaves open what is not there: the reference, or a part of it."""
    if answer.code == 0 or not _ABSENT.search(answer.err):
        return False
    # A registry's default names may be written out before it.
    _, _, name = reference.rpartition("/")
    if f"{name}: not found" not in answer.err:
        return True
    others = _list_others(answer, reference)
    return bool(others)


def _list_others(answer: Answer, reference: str) -> list[str]:
    """List the digests that an answer names besides the one that was asked for."""
    digests: list[str] = re.findall(r"sha256:[0-9a-f]{64}", answer.err)
    others: list[str] = []
    for digest in dict.fromkeys(digests):
        if digest not in reference:
            others.append(digest)
    return others


def _find_broken(reference: str, named: Sequence[str], ask: Ask) -> Index | None:
    """Ask for the reference's own manifest, and then which of its parts are gone.

    Parts further below, which buildx ``named``, count where all that the manifest names is there.
    """
    question = inspect_manifest(reference)
    (answer,) = ask.each([question])
    if answer.code != 0:
        return read_index(answer, reference)
    index = _parse(answer.out, reference, parse_manifest)
    name = strip_target(reference)
    parts = [entry.digest for entry in index.entries]
    gone = _find_gone(name, parts, ask) or named
    return replace(index, gone=tuple(gone))


def _find_gone(name: str, parts: Sequence[str], ask: Ask) -> list[str]:
    """Ask side by side for the manifests ``parts`` of an image; gives the digests of those gone."""
    references = [f"{name}@{part}" for part in parts]
    questions = [inspect_manifest(reference) for reference in references]
    answers = ask.each(questions)
    gone: list[str] = []
    for part, reference, answer in zip(parts, references, answers, strict=True):
        if answer.code == 0:
            continue
        index = read_index(answer, reference)
        if index is None:
            gone.append(part)
    return gone


def strip_target(reference: str) -> str:
    """Give the name of an image without its tag or digest."""
    name, _, _ = reference.partition("@")
    before, colon, tag = name.rpartition(":")
    has_tag = colon and "/" not in tag
    return before if has_tag else name


def read_reason(answer: Answer) -> str:
    """Give the last line of what a program printed as its error."""
    printed = answer.err.strip()
    lines = printed.splitlines()
    return lines[-1] if lines else "no reason given"


def _parse(text: str, reference: str, parse: Callable[[str], Index]) -> Index:
    try:
        return parse(text)
    except ValueError as error:
        raise StepFailed(
            f"the registry's answer for {reference} cannot be read: {error}",
            hint="look at it with `docker buildx imagetools inspect`",
        ) from error

"""Deletes manifests one by one; a refusal of one keeps what belongs to it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shipway.effects.registry import DeletionUnsupported
from shipway.errors import StepFailed
from shipway.image.documents import printable
from shipway.image.retention import Stored

Doomed = tuple[Stored, str]
"""Holds a manifest that may go, and the reason."""
_SHOWN = 10
_LONGEST_ANSWER = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """Holds a manifest that could not be deleted, and the words in which that was refused."""

    manifest: Stored
    reason: str
    error: StepFailed

    @property
    def answer(self) -> str:
        """Give the words, fit to be shown."""
        message = self.error.message
        words = printable(message)
        return words[:_LONGEST_ANSWER]


@dataclass(slots=True)
class Deletion:
    """Says what became of the manifests that should go.

    ``left`` holds those that were not asked about: they belong to one that stays, or an answer
    said that no deletion can succeed.
    """

    deleted: list[Doomed] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    left: list[Doomed] = field(default_factory=list)

    def explain(self, image: str) -> StepFailed:
        """Give the error of a deletion in which something was refused."""
        first = self.refused[0]
        error = first.error
        deleted = len(self.deleted)
        refused = len(self.refused)
        summary = f"{deleted} manifests of {image} were deleted, {refused} refused"
        if self.left:
            left = len(self.left)
            summary += f", {left} not asked about"
        lines = self._list_refusals()
        listed = "\n".join(lines)
        return StepFailed(
            f"prune: {summary}:\n{listed}",
            hint=error.hint,
            passes=error.passes,
            pause=error.pause,
        )

    def _list_refusals(self) -> Iterator[str]:
        shown = self.refused[:_SHOWN]
        for refusal in shown:
            name = name_manifest(refusal.manifest)
            answer = refusal.answer
            yield f"  - {name}: {answer}"
        rest = len(self.refused) - len(shown)
        if rest > 0:
            yield f"  - and {rest} more (`--json` lists them all)"


def name_manifest(manifest: Stored) -> str:
    """Give the first twelve digits of a manifest's digest, with its algorithm, and its tags.

    Tags are as the registry gives them, so they are made fit to be shown.
    """
    short_digest = manifest.digest[:19]
    words = (short_digest, *manifest.tags)
    name = " ".join(words)
    return printable(name)


def delete_manifests(
    doomed: Iterable[Doomed],
    parts: Mapping[str, Sequence[str]],
    remove: Callable[[str], None],
    progress: Callable[[str], None],
) -> Deletion:
    """Delete what is ``doomed``, in its order, in which a manifest comes before its ``parts``.

    A refusal ends nothing, unless it says that the next one would be refused, too: this registry
    does not delete, or a limit lasts longer than the run waits.
    """
    deletion = Deletion()
    kept: set[str] = set()
    is_over = False
    for doomed_manifest in doomed:
        manifest, reason = doomed_manifest
        own_parts = parts.get(manifest.digest, ())
        if is_over or manifest.digest in kept:
            deletion.left.append(doomed_manifest)
            kept.update(own_parts)
            continue
        name = name_manifest(manifest)
        progress(f"delete {name}: {reason}")
        error = _try(remove, manifest.digest)
        if error is None:
            deletion.deleted.append(doomed_manifest)
            continue
        refusal = Refusal(
            manifest,
            reason,
            error,
        )
        deletion.refused.append(refusal)
        kept.update(own_parts)
        is_over = _refuses_all(error)
    return deletion


def _try(remove: Callable[[str], None], digest: str) -> StepFailed | None:
    """Delete a manifest; gives the error where that is refused."""
    try:
        remove(digest)
    except StepFailed as error:
        return error
    return None


def _refuses_all(error: StepFailed) -> bool:
    """Tell whether what refused one deletion would refuse the next one, too."""
    return error.passes or isinstance(error, DeletionUnsupported)

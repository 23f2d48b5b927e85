"""`verify IMAGE` asks whether an image is what it should be, for a person who only has its name.

No checkout, no settings and no secret are read; a private registry is asked with the logins of the
Docker client.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from shipway.effects.bundles import find_lost_referrers
from shipway.effects.environment import equip
from shipway.effects.executor import Executor
from shipway.effects.processes import Processes
from shipway.effects.questions import Answerer
from shipway.effects.read_image import resolve_index
from shipway.errors import SettingsError, StepFailed, ToolMissing, VerificationFailed
from shipway.image.contents import NOT_THERE, Contents
from shipway.image.index import Index
from shipway.image.policies import NO_INDEX, Evidence, Point, strict_policy
from shipway.image.reference import Reference, parse_reference
from shipway.model.actions import Json, ReadImage
from shipway.model.target import Signer
from shipway.model.world import World
from shipway.settings.policy_file import Limits, parse_limits
from shipway.stages.sign import describe_signers, observe_signatures
from shipway.target.from_image import Expectation, plan_expected, plan_expected_signer
from shipway.tools import cosign


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Holds what was asked for, the digest that it led to, and every point that was looked at."""

    image: str
    digest: str
    points: tuple[Point, ...]

    @property
    def faults(self) -> tuple[Point, ...]:
        """Give the points that do not hold."""
        return tuple(point for point in self.points if not point.holds)

    def document(self) -> dict[str, Json]:
        """Give the verdict for programs."""
        points: list[Json] = [{**point.document()} for point in self.points]
        return {
            "image": self.image,
            "digest": self.digest or None,
            "verified": not self.faults,
            "points": points,
        }

    def render(self) -> str:
        """Give the verdict for people: a line for each point."""
        lines: list[str] = []
        for point in self.points:
            mark = "pass" if point.holds else "FAIL"
            text = point.render()
            lines.append(f"{mark}  {text}")
        return "\n".join(lines)


def explain_refusal(verdict: Verdict) -> VerificationFailed:
    """Give the error of an image that is not what it should be; it carries every point."""
    faults = verdict.faults
    count = len(verdict.points)
    fault_count = len(faults)
    summary = f"{fault_count} of {count} points do not hold"
    lines = [f"  - {point.render()}" for point in faults]
    listed = "\n".join(lines)
    return VerificationFailed(
        f"{verdict.image} is not what it should be: {summary}:\n{listed}",
        hint="do not use it; ask who publishes it, or say exactly whose signature is expected "
        "(docs/verify.md)",
        document={**verdict.document()},
    )


def read_limits(path: str) -> Limits:
    """Read the policy file, no limits without one; raises ``SettingsError``."""
    if not path:
        return Limits()
    try:
        file = Path(path)
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}",
            hint="name a policy file",
        ) from error
    return parse_limits(text, path)


def verify_image(
    image: str, expectation: Expectation, environment: Mapping[str, str] | None = None
) -> Verdict:
    """Ask everything that can be asked about an image.

    The tag is resolved first; all else is asked by digest, and last of all whether the tag still
    leads there. Raises ``ShipwayError`` where something could not be asked.
    """
    environment = equip(os.environ if environment is None else environment)
    reference = parse_reference(image)
    index = find_index(reference, environment)
    if index is None:
        missing = Point("digest", False, f"{reference.text} is not there")
        return Verdict(
            image=image,
            digest="",
            points=(missing,),
        )
    evidence = _gather_evidence(image, reference, index, expectation, environment)
    expected = plan_expected(
        reference,
        expectation,
        index.annotations,
        int(time.time()),
    )
    policy = strict_policy(expected)
    points = tuple(policy.check(evidence))
    return Verdict(
        image=image,
        digest=index.digest,
        points=points,
    )


def _gather_evidence(
    image: str,
    reference: Reference,
    index: Index,
    expectation: Expectation,
    environment: Mapping[str, str],
) -> Evidence:
    """Read the image and its signatures, and last of all ask where its tag leads now."""
    executor = _open_executor(environment)
    signer = plan_expected_signer(reference, expectation, index.annotations)
    signer = _fit(signer, environment, executor)
    question = ReadImage(
        name="verify",
        why=f"read {image}",
        image=reference.name,
        digest=index.digest,
    )
    with ThreadPoolExecutor(max_workers=1) as pool:
        reading = pool.submit(executor, question)
        try:
            signers = find_signers(executor, reference.name, signer, index)
        except StepFailed:
            # Nobody signs what is not there, and cosign cannot be asked about it.
            there = _leave_out_gone(index, reading.result())
            if there == index:
                raise
            signers = find_signers(executor, reference.name, signer, there)
        contents = reading.result()
    asked_for = reference.tag or reference.digest
    now = resolve_index(reference.name, asked_for, environment)
    return Evidence(
        index=index,
        contents=contents,
        reference=reference.text,
        signers=_name_lost(reference.name, signers, environment),
        resolved=now.digest if now else "",
    )


def _name_lost(
    name: str, signers: Mapping[str, tuple[bool, str]], environment: Mapping[str, str]
) -> dict[str, tuple[bool, str]]:
    """Name the signatures that are listed, and not there any more, of what nobody has signed."""
    unsigned: list[str] = []
    for digest, (holds, _) in signers.items():
        if not holds:
            unsigned.append(digest)
    observations = dict(signers)
    if not unsigned:
        return observations
    lost = find_lost_referrers(name, unsigned, environment)
    for digest, referrers in lost.items():
        for referrer in referrers:
            holds, observation = observations[digest]
            problem = f"{observation}; {referrer} refers to it and is not there with all its parts"
            observations[digest] = (holds, problem)
    return observations


def _leave_out_gone(index: Index, contents: Contents) -> Index:
    """Give an index without the entries whose manifests are not there."""
    gone = {part.digest for part in contents.broken if part.problem == NOT_THERE}
    entries = tuple(entry for entry in index.entries if entry.digest not in gone)
    return replace(index, entries=entries)


def _open_executor(environment: Mapping[str, str]) -> Executor:
    answers = Answerer(environment)
    runner = Processes(environment, answer=answers)
    return Executor(runner=runner, answers=answers)


def _fit(signer: Signer, environment: Mapping[str, str], executor: Executor) -> Signer:
    """Add the generation of this machine's cosign, where its flags depend on it.

    Raises ``ToolMissing`` where a trusted root is given that it cannot take.
    """
    if not signer.trusted_root:
        return signer
    path = environment["PATH"]
    if shutil.which("cosign", path=path) is None:
        return signer
    question = cosign.ask_for_help("verify")
    answer = executor(question)
    if not cosign.knows_signing_configs(answer):
        raise ToolMissing(
            f"the cosign on PATH takes no trusted root, such as {signer.trusted_root}",
            hint="install cosign 3; or leave `--trusted-root` out, and say by cosign 2's variables "
            "what it trusts (`cosign env`)",
        )
    return replace(signer, has_signing_config=True)


def find_index(reference: Reference, environment: Mapping[str, str]) -> Index | None:
    """Find the index that the reference leads to; the digest counts where there is one."""
    target = reference.digest or reference.tag
    return resolve_index(reference.name, target, environment)


def require_index_of(reference: Reference, environment: Mapping[str, str]) -> Index:
    """Give the index that the reference leads to.

    Raises ``StepFailed`` when it is not there, and ``VerificationFailed`` when it names no image.
    """
    index = find_index(reference, environment)
    if index is None:
        raise StepFailed(
            f"{reference.text} is not there",
            hint="check the name and the tag",
        )
    if not index.images:
        raise VerificationFailed(
            f"{reference.text} is {index.digest}, which is {NO_INDEX}",
            hint="name an image that was built with its SBOM, as `shipway build --push` does",
        )
    return index


def find_signers(
    executor: Executor, image: str, signer: Signer, index: Index
) -> dict[str, tuple[bool, str]]:
    """Tell of each digest of the index whether it is signed as expected, and what cosign says."""
    world = World(index=index)
    world = observe_signatures(image, signer, index.leaves_first, world, executor)
    return describe_signers(world)

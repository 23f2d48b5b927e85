"""What somebody who only has an image's name asks: is it what it should be, and what is in it.

No checkout, no settings and no secret are read; a private registry is asked with the logins of the Docker client.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from shipway.effects import read_image
from shipway.effects.environment import cache_folder, equip, is_modern
from shipway.effects.processes import Processes, Runner
from shipway.errors import SettingsError, StepFailed, VerificationFailed
from shipway.image.index import Index
from shipway.image.policies import Evidence, strict_policy
from shipway.image.policies.evidence import Point
from shipway.image.reference import Reference, parse_reference
from shipway.model.actions import Json
from shipway.model.target import Target
from shipway.model.world import World
from shipway.run.reconcile import Executor, observe
from shipway.settings.policy_file import Limits, parse_limits
from shipway.stages import sign
from shipway.target.from_image import Expectation, plan_expected, plan_target


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was asked for, the digest that it led to, and every point that was looked at."""

    image: str
    digest: str
    points: tuple[Point, ...]

    @property
    def faults(self) -> tuple[Point, ...]:
        """The points that do not hold."""
        return tuple(point for point in self.points if not point.holds)

    def document(self) -> dict[str, Json]:
        """For programs."""
        return {
            "image": self.image,
            "digest": self.digest or None,
            "verified": not self.faults,
            "points": [
                {"name": one.name, "holds": one.holds, "seen": one.observation}
                for one in self.points
            ],
        }

    def render(self) -> str:
        """For people: a line for each point."""
        return "\n".join(
            f"{'pass' if one.holds else 'FAIL'}  {one.name}: {one.observation}"
            for one in self.points
        )


def refusal(verdict: Verdict) -> VerificationFailed:
    """The error of an image that is not what it should be; it carries every point."""
    faults = verdict.faults
    error = VerificationFailed(
        f"{verdict.image} is not what it should be: {len(faults)} of {len(verdict.points)} points do not hold:\n"
        + "\n".join(f"  - {point.name}: {point.observation}" for point in faults),
        hint="do not use it; ask who publishes it, or say exactly whose signature is expected (docs/verify.md)",
    )
    error.document = {**verdict.document()}
    return error


def read_limits(path: str) -> Limits:
    """The policy file, no limits without one; raises ``SettingsError``."""
    if not path:
        return Limits()
    try:
        return parse_limits(Path(path).read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}", hint="name a policy file") from error


def verify(
    image: str, wanted: Expectation, environment: Mapping[str, str] | None = None
) -> Verdict:
    """Everything that can be asked about an image; raises ``ShipwayError`` where something could not be asked.

    The tag is resolved first; all else is asked by digest, and last of all whether the tag still leads there.
    """
    environment = equip(os.environ if environment is None else environment)
    reference = parse_reference(image)
    index = find_index(reference)
    if index is None:
        return Verdict(
            image=image,
            digest="",
            points=(Point("digest", False, f"{reference.text} is not there"),),
        )
    runner = Processes(environment)
    target = plan_target(reference, wanted, index.annotations)
    modern = bool(
        wanted.trusted_root and shutil.which("cosign", path=environment["PATH"])
    ) and is_modern(runner)
    target = replace(target, signing=replace(target.signing, modern=modern))
    with ThreadPoolExecutor(max_workers=1) as pool:
        reading = pool.submit(
            read_image.describe, reference.name, index.digest, cache_folder(environment)
        )
        signers = find_signers(runner, target, index)
        found = reading.result()
    now = read_image.resolve(reference.name, reference.tag or reference.digest)
    seen = Evidence(
        index=index,
        contents=found,
        reference=reference.text,
        signers=signers,
        resolved=now.digest if now else "",
    )
    expected = plan_expected(reference, wanted, index.annotations, int(time.time()))
    return Verdict(
        image=image, digest=index.digest, points=tuple(strict_policy(expected).check(seen))
    )


def find_index(reference: Reference) -> Index | None:
    """What the reference leads to; the digest counts where there is one."""
    return read_image.resolve(reference.name, reference.digest or reference.tag)


def require_index(reference: Reference) -> Index:
    """What the reference leads to; raises ``StepFailed`` when it is not there."""
    index = find_index(reference)
    if index is None:
        raise StepFailed(f"{reference.text} is not there", hint="check the name and the tag")
    return index


def find_signers(runner: Runner, target: Target, index: Index) -> dict[str, tuple[bool, str]]:
    """For each digest of the index whether it is signed as expected, and what was seen."""
    world = observe(sign, target, World(index=index), Executor(runner=runner))
    return {digest: (digest in world.signed, seen) for digest, seen in world.signers.items()}

"""verify: what a consumer would check before trusting the image. Anything that is missing is a fault."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from shipway.image import Index
from shipway.model import Action, Answer, Asking, Finding, Json, Point, State, Target, World
from shipway.registry import inspect, read_index, read_text
from shipway.stages import sign

NAME = "verify"

_EVERYTHING = '{"sbom":{{json .SBOM}},"provenance":{{json .Provenance}},"image":{{json .Image}}}'


def due(_target: Target) -> str:
    """Every image is verified."""
    return ""


def observe(target: Target, world: World) -> Asking:
    """Resolve the staging tag again, verify every signature, and read attestations and labels back."""
    if world.index is None or world.index.imagined:
        return world
    world = yield from sign.observe(target, world)
    assert world.index is not None
    tag, digest = f"{target.image}:{target.staging}", f"{target.image}@{world.index.digest}"
    resolved, content = yield (inspect(tag), inspect(digest, shape=_EVERYTHING))
    document = _content(content, digest)
    now = read_index(resolved, tag)
    points = (
        *_signature_points(world),
        *_structure_points(target, world.index, now),
        *_attestation_points(world.index, document),
        *_label_points(target, world.index, document),
    )
    packages = {platform: len(_packages(document, platform)) for platform in world.index.platforms}
    return replace(world, report=points, packages=packages)


def judge(_target: Target, world: World) -> Finding:
    """Every point has to hold."""
    if not world.report:
        return Finding(State.ABSENT, "not verified yet")
    faults = [point for point in world.report if not point.holds]
    if faults:
        return Finding(State.FAULT, "; ".join(f"{point.name}: {point.seen}" for point in faults))
    return Finding(State.SAME, f"{len(world.report)} points hold, {len(world.signed)} signatures among them")


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """The questions of the verification, for people who want to ask them by hand; the check is the observation."""
    assert world.index is not None
    digest = f"{target.image}@{world.index.digest}"
    return (*(sign.verify_command(target, entry) for entry in world.index.leaves_first),
            inspect(digest, shape=_EVERYTHING))


def settle(_target: Target, world: World) -> World:
    """A report in which everything holds."""
    return replace(world, report=(Point("model", True, "assumed"),))


def _content(answer: Answer, reference: str) -> Mapping[str, Json]:
    text = read_text(answer, reference)
    found = json.loads(text) if text else {}
    return cast(Mapping[str, Json], found) if isinstance(found, dict) else {}


def _signature_points(world: World) -> Iterator[Point]:
    assert world.index is not None
    for digest in world.index.leaves_first:
        holds = digest in world.signed
        yield Point(f"signature of {digest[:19]}", holds, "signed by the expected identity" if holds else "missing")


def _structure_points(target: Target, index: Index, now: Index | None) -> Iterator[Point]:
    expected, seen = sorted(target.platforms), sorted(index.platforms)
    yield Point("platforms", expected == seen, ", ".join(seen) or "none")
    for image in index.images:
        count = sum(entry.subject == image.digest for entry in index.attestations)
        yield Point(f"attestations of {image.platform}", count == 1, f"{count} attestation manifests")
    strays = [entry.digest for entry in index.attestations if entry.subject not in {e.digest for e in index.images}]
    yield Point("attestation subjects", not strays, f"{len(strays)} speak of no image of this index")
    yield Point("staging tag", now is not None and now.digest == index.digest, now.digest if now else "gone")


def _attestation_points(index: Index, document: Mapping[str, Json]) -> Iterator[Point]:
    for platform in index.platforms:
        packages = _packages(document, platform)
        yield Point(f"SBOM of {platform}", bool(packages), f"{len(packages)} packages")
        provenance = _of_platform(document.get("provenance"), platform, index)
        statement = provenance.get("SLSA")
        yield Point(f"provenance of {platform}", isinstance(statement, dict) and bool(statement),
                    "present" if statement else "missing")


def _label_points(target: Target, index: Index, document: Mapping[str, Json]) -> Iterator[Point]:
    for platform in index.platforms:
        image = _of_platform(document.get("image"), platform, index)
        config = image.get("config")
        labels = config.get("Labels") if isinstance(config, dict) else None
        seen = labels if isinstance(labels, dict) else {}
        wrong = sorted(name for name, value in target.labels.items() if seen.get(name) != value)
        yield Point(f"labels of {platform}", not wrong, f"differ: {', '.join(wrong)}" if wrong else "as expected")


def _packages(document: Mapping[str, Json], platform: str) -> list[Json]:
    sbom = _of_platform(document.get("sbom"), platform, None)
    spdx = sbom.get("SPDX")
    packages = spdx.get("packages") if isinstance(spdx, dict) else None
    return packages if isinstance(packages, list) else []


def _of_platform(found: Json, platform: str, index: Index | None) -> Mapping[str, Json]:
    """buildx keys these by platform, except where an index has only one: then the thing itself stands there."""
    if not isinstance(found, dict):
        return {}
    inner = found.get(platform)
    if isinstance(inner, dict):
        return inner
    single = index is None or len(index.images) == 1
    return found if single and not any("/" in key for key in found) else {}

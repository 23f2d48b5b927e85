"""inspect: the pushed image is read back: what was built is what was meant, before anybody signs for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from shipway.contents import PROVENANCE, SPDX, Contents, parse_contents
from shipway.errors import StepFailed
from shipway.model import Action, Answer, Asking, Command, Effect, Finding, Point, State, Target, World

NAME = "inspect"
_SHOWN = 5


def due(_target: Target) -> str:
    """Every image is read back."""
    return ""


def observe(target: Target, world: World) -> Asking:
    """Read the image; what was read of the same digest before still holds."""
    if world.index is None or world.index.imagined:
        return world
    if world.contents is not None and world.contents.digest == world.index.digest:
        return world
    (answer,) = yield (contents_command(target, world.index.digest),)
    contents = read_contents(answer)
    return replace(world, contents=contents, packages={name: len(contents.packages(name))
                                                       for name in contents.platforms})


def judge(target: Target, world: World) -> Finding:
    """Every point has to hold."""
    if world.index is None or world.contents is None:
        return Finding(State.ABSENT, "not read back yet")
    seen = tuple(points(target, world.contents))
    faults = [point for point in seen if not point.holds]
    if faults:
        return Finding(State.FAULT, "; ".join(f"{point.name}: {point.seen}" for point in faults))
    files = sum(platform.compiled for platform in world.contents.platforms.values())
    return Finding(State.SAME, f"{len(seen)} points hold; {files} compiled files fit their platforms")


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """The question, for people who want to ask it by hand; the check is the observation."""
    assert world.index is not None
    return (contents_command(target, world.index.digest),)


def settle(_target: Target, world: World) -> World:
    """An image in which there is nothing to complain of."""
    assert world.index is not None
    return replace(world, contents=Contents(digest=world.index.digest))


def contents_command(target: Target, digest: str) -> Command:
    """The question what is in an image; it uses the logins of the Docker client."""
    return Command(name=NAME, why=f"read {digest[:19]} back", effect=Effect.READ,
                   argv=("python3", "-m", "shipway.run.contents", f"{target.image}@{digest}"))


def read_contents(answer: Answer) -> Contents:
    """The answer; raises ``StepFailed`` when it is none."""
    try:
        return parse_contents(answer.out)
    except ValueError as error:
        raise StepFailed(f"what was read back cannot be understood: {error}",
                         hint="run the same command again") from error


def points(target: Target, contents: Contents) -> Iterator[Point]:
    """What has to hold of the content of an image, platform by platform."""
    wrong = sorted(name for name, value in target.labels.items() if contents.annotations.get(name) != value)
    if contents.platforms:
        yield Point("annotations", not wrong, f"differ: {', '.join(wrong)}" if wrong else "as expected")
    for name, platform in contents.platforms.items():
        wrong = sorted(key for key, value in target.labels.items() if platform.labels.get(key) != value)
        yield Point(f"labels of {name}", not wrong, f"differ: {', '.join(wrong)}" if wrong else "as expected")
        strange = [path for path in platform.foreign
                   if not any(fnmatchcase(path, pattern) for pattern in target.build.allow_foreign)]
        yield Point(f"compiled files of {name}", not strange,
                    f"{_some(strange)} are for another machine" if strange else f"{platform.compiled} fit")
        yield from _statement_points(name, contents)


def _statement_points(name: str, contents: Contents) -> Iterator[Point]:
    platform = contents.platforms[name]
    packages = contents.packages(name)
    yield Point(f"SBOM of {name}", bool(packages), f"{len(packages)} packages")
    known = {(_normal(package), version) for package, version, _ in packages}
    lacking = [f"{package} {version}" for package, version in platform.distributions
               if (_normal(package), version) not in known]
    yield Point(f"SBOM of {name} names what is installed", not lacking,
                f"it leaves out {_some(lacking)}" if lacking else f"{len(platform.distributions)} distributions")
    provenance = contents.statements(name, PROVENANCE)
    holds = any(statement.build for statement in provenance)
    yield Point(f"provenance of {name}", holds, "present" if holds else "missing")
    about = [statement.subjects for statement in (*provenance, *contents.statements(name, SPDX))]
    holds = bool(about) and all(subjects == (platform.digest,) for subjects in about)
    others = sorted({subject for subjects in about for subject in subjects} - {platform.digest})
    yield Point(f"subjects of {name}", holds,
                "as expected" if holds else f"statements about {_some(others) or 'nothing'}")


def _some(words: list[str]) -> str:
    rest = len(words) - _SHOWN
    return ", ".join(words[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _normal(name: str) -> str:
    """A distribution's name as all ways to write it are compared (packaging specification, "Name normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()

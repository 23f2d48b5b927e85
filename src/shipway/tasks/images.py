"""The tasks of those who use images, not only of those who make them: no checkout is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from shipway.tasks.options import task
from shipway.tasks.output import print_json, progress, show_either

if TYPE_CHECKING:
    from shipway.target.from_image import Expectation


def verify(image: str, policy: str, as_json: bool, wanted: Expectation) -> None:
    """Print every point; raises ``VerificationFailed`` when one does not hold."""
    from dataclasses import replace

    from shipway.run import verify as consumer

    verdict = consumer.verify(image, replace(wanted, limits=consumer.read_limits(policy)))
    if not as_json:
        print(verdict.render())
    if verdict.faults:
        raise consumer.refusal(verdict)
    if as_json:
        print_json(verdict.document())


@task
def sbom(
    _: Context, image: str = "", format_: str = "table", diff: str = "", json: bool = False
) -> None:
    """Print what an image holds, package by package; with --diff, what changed since another one."""
    from shipway.run import packages

    image = packages.name_image(image, progress)
    show_either(*(packages.changes(image, diff) if diff else packages.sbom(image, format_)), json)


@task
def scan(
    _: Context,
    image: str = "",
    policy: str = "",
    scanner: Sequence[str] | None = None,
    json: bool = False,
) -> None:
    """Hold the known vulnerabilities of an image's packages against a limit and dated exceptions."""
    from shipway.run import packages
    from shipway.run import scan as scanning

    show_either(*scanning.scan(packages.name_image(image, progress), policy, scanner or ()), json)


@task
def licenses(_: Context, image: str = "", policy: str = "", json: bool = False) -> None:
    """Hold the licenses of an image's packages against the list of those that are allowed."""
    from shipway.run import packages

    found = packages.licenses(packages.name_image(image, progress), policy)
    show_either(
        "\n".join(
            f"{platform}: {count} packages, all under licenses that are allowed"
            for platform, count in found["packages"].items()
        ),
        found,
        json,
    )

"""These tasks serve those who use images, not only those who make them: they need no checkout."""

from __future__ import annotations

from collections.abc import Sequence

from invoke.context import Context

from shipway.tasks.options import task
from shipway.tasks.output import progress, show_either, show_rest


@task
def sbom(
    _: Context, image: str = "", format_: str = "table", diff: str = "", json: bool = False
) -> None:
    """Print what an image holds, by package; with --diff, what changed since another one."""
    from shipway.run.packages import choose_image, compare_images, render_sbom

    image = choose_image(image, progress)
    with show_rest(json):
        if diff:
            lines, document = compare_images(image, diff)
        else:
            lines, document = render_sbom(image, format_)
        show_either(lines, document, json)


@task
def scan(
    _: Context,
    image: str = "",
    policy: str = "",
    scanner: Sequence[str] | None = None,
    json: bool = False,
) -> None:
    """Hold known vulnerabilities of an image's packages against a limit and dated exceptions."""
    from shipway.run.packages import choose_image
    from shipway.run.scan import scan_image

    image = choose_image(image, progress)
    lines, document = scan_image(image, policy, scanner or ())
    show_either(lines, document, json)


@task
def licenses(_: Context, image: str = "", policy: str = "", json: bool = False) -> None:
    """Hold the licenses of an image's packages against the list of those that are allowed."""
    from shipway.run.packages import check_licenses, choose_image

    image = choose_image(image, progress)
    document = check_licenses(image, policy)
    lines: list[str] = []
    for platform, count in document["packages"].items():
        lines.append(f"{platform}: {count} packages, all under licenses that are allowed")
    text = "\n".join(lines)
    show_either(text, document, json)

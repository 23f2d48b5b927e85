"""A policy looks for secrets in what everybody can read who has the image's name."""

from __future__ import annotations

from collections.abc import Iterator

from shipway.image.policies.evidence import Evidence, Point, first_few
from shipway.settings.secret_marks import name_secrets


class NoSecrets:
    """No annotation, configuration or provenance holds a token, or an address with a password.

    Configurations hold variables, labels and the history. A point names the place, never the value.
    """

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for the index, and one for each platform."""
        yield _make_point("the index", name_secrets(image.contents.annotations))
        for platform, holding in image.contents.platforms.items():
            leaks = [*holding.leaks]
            for provenance in image.provenances(platform):
                leaks += provenance.leaks
            yield _make_point(platform, leaks)


def _make_point(subject: str, leaks: list[str]) -> Point:
    name = f"secrets of {subject}"
    if not leaks:
        return Point(
            name=name,
            holds=True,
            observation="none",
        )
    places = first_few(leaks)
    return Point(
        name=name,
        holds=False,
        observation=f"in {places}",
    )

"""This module writes how GitHub's REST API is asked about releases, and told to make them. Pure.

Source: https://docs.github.com/en/rest/releases/releases
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from shipway.model.actions import Ask, Effect, Json, Request
from shipway.model.world import Page, Published

_PAGE_SIZE = 100


def list_releases(repository: str, why: str, tags: tuple[str, ...], ask: Ask) -> list[Page]:
    """List the releases, newest first, page by page until each of ``tags`` was there.

    A draft is found only in this list, never by its tag.
    """
    releases: list[Page] = []
    while True:
        number = len(releases) // _PAGE_SIZE + 1
        request = Request(
            name="publish",
            why=why,
            method="GET",
            path=f"/repos/{repository}/releases?per_page={_PAGE_SIZE}&page={number}",
            effect=Effect.READ,
            expected=(200,),
        )
        answer = ask(request)
        page: list[Page] = json.loads(answer.out)
        releases += page
        names = {release.get("tag_name") for release in releases}
        if len(page) < _PAGE_SIZE or names.issuperset(tags):
            return releases


def find_latest_release(repository: str, ask: Ask) -> Page | None:
    """Find the release that GitHub shows as the latest, ``None`` where it shows none."""
    request = Request(
        name="publish",
        why="look for the latest release",
        method="GET",
        path=f"/repos/{repository}/releases/latest",
        effect=Effect.READ,
        expected=(200, 404),
    )
    answer = ask(request)
    if answer.code != 200:
        return None
    page: Page = json.loads(answer.out)
    return page


def create_release(repository: str, why: str, body: Mapping[str, Json]) -> Request:
    """Make a release."""
    return Request(
        name="publish",
        why=why,
        method="POST",
        path=f"/repos/{repository}/releases",
        body=body,
        effect=Effect.PUBLISH,
    )


def change_release(repository: str, release_id: str, why: str, body: Mapping[str, Json]) -> Request:
    """Change what a release says."""
    return Request(
        name="publish",
        why=why,
        method="PATCH",
        path=f"/repos/{repository}/releases/{release_id}",
        body=body,
        effect=Effect.PUBLISH,
    )


def delete_release(repository: str, release_id: str, why: str) -> Request:
    """Delete a release."""
    return Request(
        name="publish",
        why=why,
        method="DELETE",
        path=f"/repos/{repository}/releases/{release_id}",
        effect=Effect.PUBLISH,
    )


def upload_asset(release: Published, asset: str, content: Mapping[str, object]) -> Request:
    """Add a JSON document to a release, under the address that the API gave for it."""
    text = json.dumps(content, indent=2)
    return Request(
        name="publish",
        why=f"add {asset}",
        method="POST",
        path=f"{release.upload}?name={asset}",
        content=f"{text}\n".encode(),
        effect=Effect.PUBLISH,
    )


def read_release(page: Page) -> Published:
    """Read one element of the API's list."""
    assets = cast(list[dict[str, Json]], page.get("assets") or [])
    # The address ends in a URI template: …/assets{?name,label}
    template = page.get("upload_url") or ""
    upload, _, _ = str(template).partition("{")
    return Published(
        id=str(page["id"]),
        draft=bool(page["draft"]),
        upload=upload,
        assets=frozenset(str(asset["name"]) for asset in assets),
        page=str(page.get("html_url") or ""),
    )

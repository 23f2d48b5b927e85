"""This module writes how GitHub's REST API is asked and told about releases and packages. Pure.

Source: https://docs.github.com/en/rest/releases/releases and
https://docs.github.com/en/rest/packages/packages
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import TypeVar, cast

import msgspec

from shipway.errors import StepFailed
from shipway.model.actions import Answer, Ask, Effect, Json, Request
from shipway.model.world import Page, Published

_PAGE_SIZE = 100
_UPLOADED = "uploaded"
"""Names the state of an asset that is there; one whose upload broke off is a `starter`."""
_JsonObject = dict[str, object]
_Shape = TypeVar("_Shape")


class _PackageVersion(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    """Holds the manifest's digest."""


def list_releases(repository: str, tags: tuple[str, ...], ask: Ask) -> list[Page]:
    """List the releases, newest first, page by page until each of ``tags`` was there.

    A draft is found only in this list, never by its tag.
    """
    why = f"look for the release {tags[0]}"
    path = f"/repos/{repository}/releases"
    request = _read("publish", path, why)
    releases: list[Page] = []
    for page in _read_pages(request, _JsonObject, ask):
        releases += cast(list[Page], page)
        names = {release.get("tag_name") for release in releases}
        if names.issuperset(tags):
            break
    return releases


def _read_pages(request: Request, shape: type[_Shape], ask: Ask) -> Iterator[list[_Shape]]:
    """Ask for a list page by page, each as it is taken; none where the list is not there."""
    for number in count(1):
        path = f"{request.path}?per_page={_PAGE_SIZE}&page={number}"
        page_request = replace(request, path=path)
        answer = ask(page_request)
        if answer.code != 200:
            return
        page = _decode(page_request, answer, list[shape])  # type: ignore[valid-type]
        yield page
        if len(page) < _PAGE_SIZE:
            return


def find_latest_release(repository: str, ask: Ask) -> Page | None:
    """Find the release that GitHub shows as the latest, ``None`` where it shows none."""
    path = f"/repos/{repository}/releases/latest"
    request = _read(
        "publish",
        path,
        "look for the latest release",
        expected=(200, 404),
    )
    return _ask_for_page(request, ask)


def find_release(repository: str, tag: str, ask: Ask) -> Page | None:
    """Find the release of a tag that people see, ``None`` where there is none; no draft is one."""
    name = tag
    # Of what git allows in a name these mean something else in an address.
    for character, escape in (("%", "%25"), ("#", "%23"), ("+", "%2B")):
        name = name.replace(character, escape)
    path = f"/repos/{repository}/releases/tags/{name}"
    why = f"look for the release {tag}"
    request = _read("promote", path, why, expected=(200, 404))
    return _ask_for_page(request, ask)


def _ask_for_page(request: Request, ask: Ask) -> Page | None:
    """Ask for one release, ``None`` where it is not there."""
    answer = ask(request)
    if answer.code != 200:
        return None
    page = _decode(request, answer, _JsonObject)
    return cast(Page, page)


def list_package_versions(owner: str, package: str, ask: Ask) -> Iterator[tuple[str, str]]:
    """Give (digest, path in the API) of each manifest of a container package.

    GitHub calls a manifest a version, and gives it a number.
    """
    place = package.replace("/", "%2F")
    why = "list the package's versions"
    # The owner is of one kind, and the other kind's path has no versions.
    for kind in ("orgs", "users"):
        path = f"/{kind}/{owner}/packages/container/{place}/versions"
        request = replace(
            _read("prune", path, why, expected=(200, 404)),
            permission="packages: read",
        )
        for page in _read_pages(request, _PackageVersion, ask):
            for version in page:
                version_path = f"{path}/{version.id}"
                yield version.name, version_path


def delete_package_version(path: str, why: str) -> Request:
    """Delete a manifest, by its path in the API; it may be gone already."""
    return Request(
        name="prune",
        why=why,
        method="DELETE",
        path=path,
        permission="packages: write",
        effect=Effect.PUBLISH,
        expected=(204, 404),
    )


def _read(name: str, path: str, why: str, *, expected: tuple[int, ...] = (200,)) -> Request:
    return Request(
        name=name,
        why=why,
        method="GET",
        path=path,
        effect=Effect.READ,
        expected=expected,
    )


def _decode(request: Request, answer: Answer, shape: type[_Shape]) -> _Shape:
    """Read an answer; raises ``StepFailed`` where it is not what the API gives."""
    try:
        return msgspec.json.decode(answer.out, type=shape)
    except msgspec.MsgspecError as error:
        raise StepFailed(
            f"{request.name}: {request.path} gave no answer of GitHub's API, to {request.why}: "
            f"{error}",
            hint="check GITHUB_API_URL, and what stands between; then run the same command again",
        ) from error


def create_release(repository: str, why: str, body: Mapping[str, Json]) -> Request:
    """Make a release."""
    path = f"/repos/{repository}/releases"
    return _write("POST", path, why, body=body)


def change_release(repository: str, release_id: str, why: str, body: Mapping[str, Json]) -> Request:
    """Change what a release says."""
    path = f"/repos/{repository}/releases/{release_id}"
    return _write("PATCH", path, why, body=body)


def delete_release(repository: str, release_id: str, why: str) -> Request:
    """Delete a release; it may be gone already."""
    path = f"/repos/{repository}/releases/{release_id}"
    request = _write("DELETE", path, why)
    return replace(request, expected=(204, 404))


def delete_asset(repository: str, asset_id: str, why: str) -> Request:
    """Delete an asset of a release; it may be gone already."""
    path = f"/repos/{repository}/releases/assets/{asset_id}"
    request = _write("DELETE", path, why)
    return replace(request, expected=(204, 404))


def upload_asset(release: Published, asset: str, content: Mapping[str, object]) -> Request:
    """Add a JSON document to a release, under the address that the API gave for it."""
    text = json.dumps(content, indent=2)
    path = f"{release.upload}?name={asset}"
    document = f"{text}\n".encode()
    why = f"add {asset}"
    return _write("POST", path, why, content=document)


def _write(
    method: str,
    path: str,
    why: str,
    *,
    body: Mapping[str, Json] | None = None,
    content: bytes = b"",
) -> Request:
    return Request(
        name="publish",
        why=why,
        method=method,
        path=path,
        body=body or {},
        content=content,
        effect=Effect.PUBLISH,
    )


def read_release(page: Page) -> Published:
    """Read one element of the API's list."""
    listed = page.get("assets") or []
    assets = cast(list[dict[str, Json]], listed)
    names: set[str] = set()
    broken: list[str] = []
    for asset in assets:
        state = asset.get("state", _UPLOADED)
        if state == _UPLOADED:
            name = str(asset["name"])
            names.add(name)
        else:
            identity = str(asset["id"])
            broken.append(identity)
    # The address ends in a URI template: …/assets{?name,label}
    template = page.get("upload_url") or ""
    upload, _, _ = str(template).partition("{")
    return Published(
        id=str(page["id"]),
        draft=bool(page["draft"]),
        upload=upload,
        assets=frozenset(names),
        broken=tuple(broken),
        page=str(page.get("html_url") or ""),
        body=str(page.get("body") or ""),
    )

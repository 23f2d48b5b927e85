"""The double of GitHub's cache service, asked without BuildKit: what GitHub documents and BuildKit does not show."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.support.cacheservice import READ, TWIRP, WRITE, CacheService, serve

BOTH = READ | WRITE


@pytest.fixture(name="service")
def fixture_service() -> Iterator[CacheService]:
    with serve(60) as service:
        yield service


def send(
    method: str, address: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """(status, body, headers) of a request; an error is an answer too."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, body, named, method=method), timeout=5
        ) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


def call(
    service: CacheService, method: str, scopes: dict[str, int], key: str, **more: object
) -> dict[str, Any]:
    """A Twirp method; Any: a JSON document."""
    body = json.dumps({"key": key, "version": "v", **more}).encode()
    answer = send(
        "POST",
        f"{service.address}{TWIRP}{method}",
        body,
        Authorization=f"Bearer {service.token(scopes)}",
    )
    return dict(json.loads(answer[1]))


def save(service: CacheService, scope: str, key: str, content: bytes = b"content") -> str:
    """Write an entry; gives the address that it was sent to."""
    address = str(call(service, "CreateCacheEntry", {scope: BOTH}, key)["signed_upload_url"])
    assert send("PUT", address, content, x_ms_blob_type="BlockBlob")[0] == 201
    assert call(
        service, "FinalizeCacheEntryUpload", {scope: BOTH}, key, size_bytes=str(len(content))
    )["ok"]
    return address


def find(service: CacheService, scopes: dict[str, int], key: str, *restore: str) -> object:
    """The key that is found."""
    return call(service, "GetCacheEntryDownloadURL", scopes, key, restore_keys=restore).get(
        "matched_key"
    )


def test_keys_match_exactly_then_by_prefix_newest_first_scope_by_scope(
    service: CacheService,
) -> None:
    for scope, key in (
        ("main", "a-1"),
        ("main", "a-12"),
        ("main", "b-1"),
        ("own", "b-2"),
        ("other", "a-123"),
    ):
        save(service, scope, key)
    scopes = {"own": BOTH, "main": READ}
    assert find(service, scopes, "a-1") == "a-1" and find(service, scopes, "a-") == "a-12"
    assert find(service, scopes, "b-1") == "b-1" and find(service, scopes, "b-") == "b-2"
    assert find(service, scopes, "b-1", "b-") == "b-2"
    assert find(service, scopes, "c", "x", "a-") == "a-12" and find(service, scopes, "c") is None
    assert find(service, {"main": BOTH}, "b-2") is None
    assert call(service, "GetCacheEntryDownloadURL", scopes, "a-1", version="other") == {
        "ok": False
    }


def test_what_is_not_finalized_or_of_another_length_is_not_found(service: CacheService) -> None:
    address = call(service, "CreateCacheEntry", {"main": BOTH}, "a")["signed_upload_url"]
    assert send("PUT", address, b"four")[0] == 201 and find(service, {"main": BOTH}, "a") is None
    assert not call(service, "FinalizeCacheEntryUpload", {"main": BOTH}, "a", size_bytes=5)["ok"]
    assert find(service, {"main": BOTH}, "a") is None


def test_refusals_have_twirps_codes(service: CacheService) -> None:
    save(service, "main", "a")
    assert call(service, "CreateCacheEntry", {"main": BOTH}, "a")["code"] == "already_exists"
    assert "cache write denied" in call(service, "CreateCacheEntry", {"main": READ}, "b")["message"]
    assert (
        call(service, "GetCacheEntryDownloadURL", {"main": WRITE}, "a")["code"]
        == "permission_denied"
    )
    assert call(service, "FinalizeCacheEntryUpload", {"main": BOTH}, "b")["code"] == "not_found"
    assert call(service, "Delete", {"main": BOTH}, "a")["code"] == "bad_route"
    assert (
        send("POST", f"{service.address}{TWIRP}CreateCacheEntry", b"{}", Authorization="Bearer x")[
            0
        ]
        == 401
    )


def test_a_signed_address_gives_one_right_and_shows_ranges(service: CacheService) -> None:
    upload = save(service, "main", "a", b"0123456789")
    address = str(
        call(service, "GetCacheEntryDownloadURL", {"main": READ}, "a")["signed_download_url"]
    )
    assert send("GET", address)[:2] == (200, b"0123456789")
    status, body, headers = send("HEAD", address)
    assert (status, body, headers["Content-Length"]) == (200, b"", "10") and headers[
        "x-ms-request-id"
    ]
    status, body, headers = send("GET", address, x_ms_range="bytes=2-4")
    assert (status, body, headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert send("GET", address, Range="bytes=7-")[:2] == (206, b"789")
    assert send("GET", address, Range="bytes=10-")[0] == 416
    assert (
        send("GET", upload)[0]
        == send("PUT", address, b"x")[0]
        == send("GET", f"{address}x")[0]
        == 403
    )
    service.evict("a", bytes_only=True)
    status, body, headers = send("GET", address)
    assert (status, headers["x-ms-error-code"]) == (404, "BlobNotFound") and find(
        service, {"main": READ}, "a"
    )
    assert service.evict("") == 1 and find(service, {"main": READ}, "a") is None


def test_blocks_are_put_together_in_the_order_of_their_list(service: CacheService) -> None:
    address = call(service, "CreateCacheEntry", {"main": BOTH}, "a")["signed_upload_url"]
    for name, content in (("MQ==", b"two"), ("Mg==", b"one")):
        assert send("PUT", f"{address}&comp=block&blockid={name}", content)[0] == 201
    blocks = "<BlockList><Latest>{}</Latest><Latest>{}</Latest></BlockList>"
    assert (
        send("PUT", f"{address}&comp=blocklist", blocks.format("Mg==", "Mw==").encode())[0] == 400
    )
    assert (
        send("PUT", f"{address}&comp=blocklist", blocks.format("Mg==", "MQ==").encode())[0] == 201
    )
    assert service.entries[0].content == b"onetwo"


def test_it_ends_by_itself() -> None:
    with serve(0.1) as service:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            try:
                send("GET", service.address)
            except OSError:  # refused, or cut off in the midst
                return
            time.sleep(0.05)
    pytest.fail("it still answers")

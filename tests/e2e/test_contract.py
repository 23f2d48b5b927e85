"""The doubles of the tests answer as the real programs do: the same questions to both, the same shapes and refusals.

Where they differ the double is wrong. It takes the registry that `nox -s parts` builds.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.http import Reply, request, send
from tests.support.published import INDEX, Shelf
from tests.support.registry import Registry

pytestmark = pytest.mark.engine

Shape = dict[str, Any]
"""What two answers have to have in common; Any: JSON."""

NOWHERE = f"sha256:{'0' * 64}"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()
BLOB = b"a blob"


def digest_of(content: bytes) -> str:
    """The name of a content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def describe(reply: Reply) -> Shape:
    """Say what a client sees of an answer of a registry."""
    return {
        "status": reply.status,
        "kind": reply.headers.get("content-type", "").partition(";")[0],
        "digest": reply.headers.get("docker-content-digest"),
        "version": reply.headers.get("docker-distribution-api-version"),
        "subject": reply.headers.get("oci-subject"),
        "next": _describe_link(reply.headers.get("link", "")),
        "body": _describe_body(reply),
    }


def _describe_link(link: str) -> object:
    match = re.fullmatch(r'<([^>]+)>; rel="next"', link)
    if match is None:
        return link
    address = urlsplit(match[1])
    return address.path, parse_qs(address.query)


def _describe_body(reply: Reply) -> object:
    if "json" not in reply.headers.get("content-type", ""):
        return reply.body
    document = json.loads(reply.body)
    if "errors" in document:
        return [error["code"] for error in document["errors"]]
    return document


REGISTRY_QUESTIONS = {
    "the greeting": ("GET", ""),
    "a manifest by its tag": ("GET", "acme/toy/manifests/a"),
    "a manifest by its digest": ("GET", f"acme/toy/manifests/{digest_of(MANIFEST)}"),
    "a manifest that is not there": ("GET", f"acme/toy/manifests/{NOWHERE}"),
    "a tag that is not there": ("GET", "acme/toy/manifests/nowhere"),
    "a blob": ("GET", f"acme/toy/blobs/{digest_of(BLOB)}"),
    "a blob that is not there": ("GET", f"acme/toy/blobs/{NOWHERE}"),
    "the first page of tags": ("GET", "acme/toy/tags/list?n=2"),
    "the last page of tags": ("GET", "acme/toy/tags/list?n=2&last=b"),
    "referrers, which it does not list": ("GET", f"acme/toy/referrers/{digest_of(MANIFEST)}"),
    "to delete what is not there": ("DELETE", f"acme/toy/manifests/{NOWHERE}"),
}


class TestRegistry:
    """`tests/support/registry.py`, and distribution of the third generation."""

    @pytest.fixture(name="addresses")
    def fixture_addresses(self, registry: Registry, real_registry: str) -> tuple[str, str]:
        """Both of them, with the same image."""
        registry.put(BLOB)
        for tag in "abc":
            registry.names[tag] = registry.put(MANIFEST)
        shelf = Shelf(f"http://{real_registry}/v2/acme/toy", send)
        shelf.blob(BLOB)
        for tag in "abc":
            request(f"{shelf.address}/manifests/{tag}", "PUT", MANIFEST, {"Content-Type": INDEX})
        double = registry.name.partition("/")[0]
        return double, real_registry

    @pytest.mark.parametrize("question", REGISTRY_QUESTIONS)
    def test_answers(self, addresses: tuple[str, str], question: str) -> None:
        method, path = REGISTRY_QUESTIONS[question]
        accept = {"Accept": INDEX}
        double, real = (
            describe(request(f"http://{address}/v2/{path}", method, None, accept))
            for address in addresses
        )
        assert double == real

    def test_deletes(self, addresses: tuple[str, str]) -> None:
        path = f"acme/toy/manifests/{digest_of(MANIFEST)}"
        for method in ("DELETE", "GET"):
            double, real = (
                describe(request(f"http://{address}/v2/{path}", method)) for address in addresses
            )
            assert double == real

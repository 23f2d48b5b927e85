"""Asks a registry's own interface, for what `docker buildx imagetools` cannot do.

Source: OCI distribution specification 1.1. Names, logins, TLS and proxies are Docker's. A registry
that is busy is asked again, as long as it asks for and no longer than a minute each time. All
variables come from an environment that is given, never from the process's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import urlsplit

from shipway.effects import secrets
from shipway.effects.authorization import Authorization
from shipway.effects.logins import HUB_KEY
from shipway.effects.manifests import (
    LARGEST_DOCUMENT,
    Manifest,
    TagList,
    decode_document,
    decode_manifest,
    wrong_content,
)
from shipway.effects.proxies import is_loopback
from shipway.effects.registry_refusals import (
    find_other_way,
    is_busy,
    is_unsupported,
    quote_refusal,
    read_beginning,
)
from shipway.errors import ShipwayError, StepFailed
from shipway.settings.image_names import HUB

if TYPE_CHECKING:
    from requests import Response

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
QUESTIONS_SIDE_BY_SIDE = 8
"""Says how many questions a registry is asked at a time."""
_HUB_HOST = "registry-1.docker.io"
_WITHOUT_REFERRERS = (400, 404, 406)
"""What registries answer that have no referrers API (go-containerregistry takes these for it)."""
_REFUSALS = (401, 403)
_TOO_MANY_REQUESTS = 429


class NotThere(StepFailed):
    """The registry answered, and has no such thing."""


class DeletionUnsupported(StepFailed):
    """The registry answered that it deletes nothing when it is asked to."""


class Registry:
    """The repository of one image in a registry; connects with the first question.

    The image's ``name`` is written in full. Every method raises ``StepFailed`` when the registry
    cannot be asked.
    """

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        from shipway.effects.connections import Connections

        domain, _, path = name.partition("/")
        self._name = name
        self._host = domain
        key = domain
        if domain == HUB:
            self._host = _HUB_HOST
            key = HUB_KEY
        self._path = path
        self._scheme: str | None = None
        self._connections = Connections(environment)
        self._authorization = Authorization(
            self._connections,
            self._host,
            key,
            path,
            environment,
        )

    @contextmanager
    def open(self, digest: str) -> Iterator[IO[bytes]]:
        """Give a blob as a stream; what comes is not checked."""
        with self._ask("GET", f"blobs/{digest}") as response:
            response.raw.decode_content = False
            yield cast(IO[bytes], response.raw)

    def require_blob(self, digest: str) -> None:
        """Raise ``NotThere`` where a blob is not there; it is not read."""
        try:
            with self._ask("HEAD", f"blobs/{digest}"):
                return
        except NotThere:
            raise
        except StepFailed as error:
            if error.passes:
                raise
        # A storage that a registry redirects to may show what it has to GET alone.
        with self.open(digest):
            pass

    def manifest(self, reference: str) -> tuple[str, Manifest]:
        """Give digest and content of a tag's or a digest's manifest.

        Raises ``StepFailed`` where something else came than the digest names.
        """
        with self._ask("GET", f"manifests/{reference}") as response:
            content: bytes = response.raw.read(LARGEST_DOCUMENT, decode_content=True)
            announced = response.headers.get("Docker-Content-Digest", "")
        checksum = hashlib.sha256(content).hexdigest()
        digest = f"sha256:{checksum}"
        for expected in (reference, announced):
            is_digest = expected.startswith("sha256:")
            if is_digest and expected != digest:
                raise wrong_content(expected)
        subject = f"manifest {reference} of {self._name}"
        manifest = decode_manifest(content, subject)
        return digest, manifest

    def tags(self) -> list[str]:
        """List all tags; none where the image is not there."""
        tags: list[str] = []
        subject = f"the tags of {self._name}"
        path: str | None = "tags/list?n=1000"
        pages: set[str] = set()
        while path:
            if path in pages:
                raise StepFailed(
                    f"{self._host} goes round in circles with {subject}",
                    hint="whoever runs the registry has to mend its list of tags",
                )
            pages.add(path)
            with self._ask("GET", path, (200, 404)) as response:
                if response.status_code == 200:
                    content = response.content
                    page = decode_document(content, TagList, subject)
                    tags += page.tags or ()
                following = response.links.get("next", {})
            address = following.get("url", "")
            _, separator, query = address.partition("?")
            path = None
            if separator:
                path = f"tags/list?{query}"
        return tags

    def referrers(self, digest: str) -> list[str]:
        """List the digests of what refers to a manifest; none where the registry keeps no list."""
        expected = (200, *_WITHOUT_REFERRERS)
        with self._ask("GET", f"referrers/{digest}", expected) as response:
            if response.status_code != 200:
                return []
            content = response.content
        index = decode_document(content, Manifest, f"the referrers of {digest}")
        return [descriptor.digest for descriptor in index.manifests or ()]

    def delete(self, digest: str) -> None:
        """Delete a manifest with all its tags; one that is gone already is deleted."""
        with self._ask("DELETE", f"manifests/{digest}", (200, 202, 404)):
            pass

    @contextmanager
    def _ask(
        self, method: str, path: str, expected: tuple[int, ...] = (200,)
    ) -> Iterator[Response]:
        from requests import RequestException
        from urllib3.exceptions import HTTPError

        subject = f"{path.partition('?')[0]} of {self._name}"
        with self._request(method, path, subject) as response:
            if response.status_code not in expected:
                raise self._refusal(response, method, subject)
            try:
                yield response
            except (HTTPError, RequestException) as error:
                raise StepFailed(
                    f"{self._host} broke off while it sent {subject}: {type(error).__name__}",
                    hint="check the network, then run the same command again",
                    passes=True,
                ) from error

    def _request(self, method: str, path: str, subject: str) -> Response:
        """Ask once, and once more where the registry wants to know first who asks."""
        action = "delete" if method == "DELETE" else "pull"
        header = self._authorization.known_header(action)
        response = self._send(method, path, subject, header)
        if response.status_code not in _REFUSALS:
            return response
        challenge = response.headers.get("WWW-Authenticate", "")
        try:
            answer = self._authorization.answer(challenge, action)
        except ShipwayError:
            response.close()
            raise
        if answer is None or answer == header:
            return response
        response.close()
        return self._send(method, path, subject, answer)

    def _send(self, method: str, path: str, subject: str, authorization: str | None) -> Response:
        from shipway.effects.connections import explain_trouble

        headers = {"Accept": ", ".join(MANIFESTS)}
        if authorization:
            headers["Authorization"] = authorization
        try:
            address = f"{self._find_scheme()}://{self._host}/v2/{self._path}/{path}"
            return self._connections.request(
                method,
                address,
                headers=headers,
                stream=True,
            )
        # OSError: every error of requests is one.
        except (OSError, ValueError) as error:
            raise explain_trouble(error, self._host, subject) from error

    def _find_scheme(self) -> str:
        """Choose TLS; without it only this machine is asked, where it does not speak TLS."""
        from shipway.effects.connections import speaks_tls

        if self._scheme is None:
            parts = urlsplit(f"https://{self._host}")
            host = parts.hostname or ""
            is_plain = is_loopback(host) and not speaks_tls(host, parts.port or 80)
            self._scheme = "http" if is_plain else "https"
        return self._scheme

    def _refusal(self, response: Response, method: str, subject: str) -> StepFailed:
        status = response.status_code
        text = read_beginning(response)
        words = quote_refusal(text)
        message = f"{self._host} answered {status} to {method} {subject}"
        if words:
            message += f": {words}"
        if method == "DELETE" and is_unsupported(status, text):
            hint = find_other_way(self._host)
            return DeletionUnsupported(f"{self._host} does not delete: {message}", hint=hint)
        if status in _REFUSALS:
            return self._authorization.refusal(message)
        hint = "check that the registry answers and allows it, then run the same command again"
        if status == 404:
            return NotThere(message, hint=hint)
        if status == _TOO_MANY_REQUESTS:
            message = f"{self._host} limits how often it is asked: {message}"
            hint = f"wait, or log in to {self._host}; then run the same command again"
        return StepFailed(message, hint=hint, passes=is_busy(status))

    def close(self) -> None:
        """Close its connections."""
        self._connections.close()


@contextmanager
def connect(name: str, environment: Mapping[str, str]) -> Iterator[Registry]:
    """Open the repository of the image ``name``, with the logins and proxies of ``environment``.

    Its secrets are left out: no helper that gives a login sees them.
    """
    public, _ = secrets.split(environment)
    registry = Registry(name, public)
    try:
        yield registry
    finally:
        registry.close()

"""Asks a registry's own interface, for what `docker buildx imagetools` cannot do.

Source: OCI distribution specification 1.1. Logins are Docker's. A registry that is busy is asked
again, as long as it asks for and no longer than a minute each time. All variables come from an
environment that is given, never from the process's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

from shipway.effects import secrets
from shipway.effects.logins import find_login
from shipway.effects.manifests import (
    LARGEST_DOCUMENT,
    Manifest,
    TagList,
    decode_document,
    wrong_content,
)
from shipway.effects.proxies import find_certificates, find_proxies
from shipway.errors import StepFailed

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session
    from urllib3 import BaseHTTPResponse

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_LOOPBACK = ("127.", "localhost", "[::1]")
_ATTEMPTS = 5
_BACKOFF = 0.5
_LONGEST_WAIT = 60
_TIMEOUT = 60
_WITHOUT_REFERRERS = (400, 404, 406)
"""What registries answer that have no referrers API (go-containerregistry takes these for it)."""
_REFUSALS = (401, 403)
_TOO_MANY_REQUESTS = 429


class NotThere(StepFailed):
    """The registry answered, and has no such thing."""


class Registry:
    """The repository of one image in a registry; connects with the first question.

    Every method raises ``StepFailed`` when the registry cannot be asked.
    """

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        import oras.container
        import oras.provider
        import oras.utils

        container = oras.container.Container(name)
        self._name = name
        self._host = str(container.registry)
        certificates = find_certificates(environment)
        self._client = oras.provider.Registry(
            self._host,
            insecure=self._host.startswith(_LOOPBACK),
            tls_verify=certificates or True,
        )
        self._base = f"{self._client.prefix}://{self._host}/v2/{container.api_prefix}"
        _prepare(self._client.session, environment)
        hosts = tuple(oras.utils.iter_localhosts(self._host))
        login = find_login(hosts, environment)
        if login is not None:
            self._client.auth.set_basic_auth(login.username, login.password)
        # Its own retry knows neither 429 nor Retry-After, and waits minutes where nothing listens.
        self._send = oras.provider.Registry.do_request.__wrapped__

    @contextmanager
    def open(self, digest: str) -> Iterator[IO[bytes]]:
        """Give a blob as a stream; what comes is not checked."""
        with self._ask("GET", f"blobs/{digest}") as response:
            response.raw.decode_content = False
            yield cast(IO[bytes], response.raw)

    def manifest(self, reference: str) -> tuple[str, Manifest]:
        """Give digest and content of a tag's or a digest's manifest.

        Raises ``StepFailed`` where something else came than the digest names.
        """
        with self._ask("GET", f"manifests/{reference}") as response:
            content: bytes = response.raw.read(LARGEST_DOCUMENT, decode_content=True)
        checksum = hashlib.sha256(content).hexdigest()
        digest = f"sha256:{checksum}"
        is_digest = reference.startswith("sha256:")
        if is_digest and reference != digest:
            raise wrong_content(reference)
        subject = f"manifest {reference} of {self._name}"
        manifest = decode_document(content, Manifest, subject)
        return digest, manifest

    def tags(self) -> list[str]:
        """List all tags; none where the image is not there."""
        tags: list[str] = []
        subject = f"the tags of {self._name}"
        path: str | None = "tags/list?n=1000"
        while path:
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
                raise self._refusal(response.status_code, f"{method} {subject}")
            try:
                yield response
            except (HTTPError, RequestException) as error:
                raise StepFailed(
                    f"{self._host} broke off while it sent {subject}: {type(error).__name__}",
                    hint="check the network, then run the same command again",
                    passes=True,
                ) from error

    def _request(self, method: str, path: str, subject: str) -> Response:
        from requests.exceptions import ConnectionError as NoConnection
        from requests.exceptions import SSLError, Timeout

        headers = {"Accept": ", ".join(MANIFESTS)}
        address = f"{self._base}/{path}"
        try:
            return cast(
                "Response",
                self._send(
                    self._client,
                    address,
                    method,
                    stream=True,
                    headers=headers,
                ),
            )
        # OSError: every error of requests is one, and so are certificates that are not there.
        except (OSError, ValueError) as error:
            raise StepFailed(
                f"could not ask {self._host} for {subject}: {type(error).__name__}",
                hint=f"check that it answers, and log in with `docker login {self._host}`",
                passes=isinstance(error, (NoConnection, Timeout))
                and not isinstance(error, SSLError),
            ) from error

    def _refusal(self, status: int, question: str) -> StepFailed:
        message = f"{self._host} answered {status} to {question}"
        if status in _REFUSALS:
            return StepFailed(message, hint=f"log in with `docker login {self._host}`")
        hint = "check that the registry answers and allows it, then run the same command again"
        if status == 404:
            return NotThere(message, hint=hint)
        passes = status == _TOO_MANY_REQUESTS or status >= 500
        return StepFailed(message, hint=hint, passes=passes)

    def close(self) -> None:
        """Close its connections."""
        self._client.session.close()


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


def _prepare(session: Session, environment: Mapping[str, str]) -> None:
    """Let every request of ``session`` end in time, and read no variable of this process."""
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    class Adapter(HTTPAdapter):
        """Sends one request, redirects among them; a refusal keeps no connection."""

        def send(
            self,
            request: PreparedRequest,
            *words: Any,  # Any: as requests calls it
            **options: Any,
        ) -> Response:
            options["timeout"] = _TIMEOUT
            options["proxies"] = find_proxies(request.url or "", environment)
            response = super().send(request, *words, **options)
            if not response.ok:
                response.close()
            return response

    class BoundedRetry(Retry):
        """Waits as long as a registry asks for, but no longer than it may."""

        def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
            seconds = super().get_retry_after(response)
            return None if seconds is None else min(seconds, _LONGEST_WAIT)

    session.trust_env = False
    retry = BoundedRetry(
        total=_ATTEMPTS,
        connect=2,
        status_forcelist=(429, 502, 503, 504),
        raise_on_status=False,
        allowed_methods=("GET", "DELETE"),
        backoff_factor=_BACKOFF,
        backoff_jitter=_BACKOFF,
        backoff_max=_LONGEST_WAIT,
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter(max_retries=retry))

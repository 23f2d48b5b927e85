"""A registry's own interface, for what `docker buildx imagetools` cannot do. Logins are Docker's.

Source: OCI distribution specification 1.1. A registry that is busy is asked again, as long as it asks for and no longer
than a minute each time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from shipway.errors import StepFailed

Node = dict[str, Any]  # Any: the values of a JSON document
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
_LARGEST_DOCUMENT = 256 * 1024 * 1024


class NotThere(StepFailed):
    """The registry answered, and has no such thing."""


class Registry:
    """The repository of one image in a registry. Every method raises ``StepFailed`` when it cannot be asked."""

    def __init__(self, name: str) -> None:
        import oras.container
        import oras.provider

        container = oras.container.Container(name)
        self._name, self._host = name, str(container.registry)
        self._client = oras.provider.Registry(self._host, insecure=self._host.startswith(_LOOPBACK))
        self._base = f"{self._client.prefix}://{self._host}/v2/{container.api_prefix}"
        _bound(self._client.session)
        self._client.auth.load_configs(container)
        # Its own retry knows neither 429 nor Retry-After, and waits for minutes where nothing listens.
        self._send = oras.provider.Registry.do_request.__wrapped__

    @contextmanager
    def open(self, kind: str, digest: str) -> Iterator[IO[bytes]]:
        """The body of one of ``blobs`` or ``manifests``, as a stream."""
        with self._ask("GET", f"{kind}/{digest}") as response:
            response.raw.decode_content = False
            yield cast(IO[bytes], response.raw)

    def manifest(self, reference: str) -> tuple[str, Node]:
        """Digest and content of a tag's or a digest's manifest."""
        with self._ask("GET", f"manifests/{reference}") as response:
            content = response.raw.read(_LARGEST_DOCUMENT, decode_content=True)
        return f"sha256:{hashlib.sha256(content).hexdigest()}", cast(Node, json.loads(content))

    def tags(self) -> list[str]:
        """All tags; none where the image is not there."""
        found: list[str] = []
        path: str | None = "tags/list?n=1000"
        while path:
            with self._ask("GET", path, (200, 404)) as response:
                found += (response.json().get("tags") or []) if response.status_code == 200 else []
                following = response.links.get("next", {}).get("url", "")
            path = f"tags/list{following[following.index('?') :]}" if "?" in following else None
        return found

    def referrers(self, digest: str) -> list[str]:
        """Digests of what refers to a manifest; none where the registry does not keep such a list."""
        with self._ask("GET", f"referrers/{digest}", (200, *_WITHOUT_REFERRERS)) as response:
            found = response.json() if response.status_code == 200 else {}
        return [str(one["digest"]) for one in found.get("manifests") or []]

    def delete(self, digest: str) -> None:
        """Delete a manifest with all its tags; one that is gone already is deleted."""
        with self._ask("DELETE", f"manifests/{digest}", (200, 202, 404)):
            pass

    @contextmanager
    def _ask(
        self, method: str, path: str, expected: tuple[int, ...] = (200,)
    ) -> Iterator[Any]:  # Any: a Response
        from requests import RequestException

        what = f"{path.partition('?')[0]} of {self._name}"
        try:
            response = self._send(
                self._client,
                f"{self._base}/{path}",
                method,
                stream=True,
                headers={"Accept": ", ".join(MANIFESTS)},
            )
        except (RequestException, ValueError) as error:
            raise StepFailed(
                f"could not ask {self._host} for {what}: {type(error).__name__}",
                hint=f"check that it answers, and log in with `docker login {self._host}`",
            ) from error
        with response:
            if response.status_code not in expected:
                kind = NotThere if response.status_code == 404 else StepFailed
                raise kind(
                    f"{self._host} answered {response.status_code} to {method} {what}",
                    hint=f"log in with `docker login {self._host}`"
                    if response.status_code in (401, 403)
                    else "check that the registry answers and allows it, then run the same command again",
                )
            yield response

    def close(self) -> None:
        """Close its connections."""
        self._client.session.close()


@contextmanager
def connect(name: str) -> Iterator[Registry]:
    """The repository of the image ``name``."""
    registry = Registry(name)
    try:
        yield registry
    finally:
        registry.close()


def _bound(session: Any) -> None:  # Any: a requests.Session
    from requests import Response
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    class Adapter(HTTPAdapter):
        """Every request is bounded in time, and a refusal keeps no connection."""

        def send(self, *words: Any, **options: Any) -> Response:  # Any: as requests calls it
            response = super().send(*words, **{**options, "timeout": _TIMEOUT})
            if not response.ok:
                response.close()
            return response

    retry = Retry(
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

"""A registry's own interface, for what `docker buildx imagetools` cannot show: blobs. Logins are Docker's.

Source: OCI distribution specification. A registry that is busy is asked again, as long as it asks for and no longer
than a minute each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any, cast

from shipway.errors import StepFailed

Ask = Callable[[str, str, str], AbstractContextManager[IO[bytes]]]
"""(``blobs`` or ``manifests``, digest, media types) → the body as a stream."""
_LOOPBACK = ("127.", "localhost", "[::1]")
_ATTEMPTS = 5
_LONGEST_WAIT = 60
_TIMEOUT = 60


@contextmanager
def connect(name: str) -> Iterator[Ask]:
    """A way to ask for the manifests and blobs of the image ``name``; raises ``StepFailed`` when it cannot be asked."""
    import oras.container
    import oras.provider
    from requests import RequestException, Response
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    container = oras.container.Container(name)
    host = str(container.registry)
    client = oras.provider.Registry(host, insecure=host.startswith(_LOOPBACK))
    retry = Retry(total=_ATTEMPTS, status_forcelist=(429, 502, 503, 504), backoff_factor=0.5, backoff_jitter=0.5,
                  backoff_max=_LONGEST_WAIT, allowed_methods=("GET", "HEAD"), raise_on_status=False, connect=2)

    class Adapter(HTTPAdapter):
        """Every request is bounded in time, and a refusal keeps no connection."""

        def send(self, *words: Any, **options: Any) -> Response:  # Any: as requests calls it
            response = super().send(*words, **{**options, "timeout": _TIMEOUT})
            if not response.ok:
                response.close()
            return response

    for scheme in ("http://", "https://"):
        client.session.mount(scheme, Adapter(max_retries=retry))
    client.auth.load_configs(container)
    # Its own retry knows neither 429 nor Retry-After, and waits for minutes where nothing listens.
    send = oras.provider.Registry.do_request.__wrapped__

    @contextmanager
    def ask(kind: str, digest: str, accept: str) -> Iterator[IO[bytes]]:
        address = f"{client.prefix}://{host}/v2/{container.api_prefix}/{kind}/{digest}"
        try:
            response = send(client, address, "GET", headers={"Accept": accept}, stream=True)
        except (RequestException, ValueError) as error:
            raise StepFailed(f"could not ask {host} for {digest} of {name}: {type(error).__name__}",
                             hint=f"check that it answers, and log in with `docker login {host}`") from error
        with response:
            if response.status_code != 200:
                login = response.status_code in (401, 403)
                raise StepFailed(f"{host} answered {response.status_code} for {digest} of {name}",
                                 hint=f"log in with `docker login {host}`" if login
                                 else "check that the registry answers, then run the same command again")
            response.raw.decode_content = False
            yield cast(IO[bytes], response.raw)

    with client.session:
        yield ask

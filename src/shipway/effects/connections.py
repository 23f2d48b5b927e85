"""Opens connections to registries and to GitHub's API, by the same rules for all of them.

TLS is spoken with everybody but this machine itself; proxies and trusted authorities are those of
the environment given; every request ends in time. No variable and no file of logins of the process
is read.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests import Session
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import InvalidURL, ProxyError, SSLError, Timeout
from requests.exceptions import ConnectionError as NoConnection
from urllib3.exceptions import NameResolutionError
from urllib3.util import Retry

from shipway.effects.proxies import find_proxies, is_loopback
from shipway.effects.trust import make_tls_context
from shipway.errors import StepFailed
from shipway.image.documents import printable

if TYPE_CHECKING:
    from requests import PreparedRequest, Response
    from urllib3 import BaseHTTPResponse

_LOG = logging.getLogger(__name__)
"""Where nobody set up logging, Python prints its warnings on standard error, as progress is."""
ATTEMPTS = 5
LONGEST_WAIT = 60.0
_BACKOFF = 0.5
_TIMEOUT = 60
_MOST_REDIRECTS = 10
_BUSY = (429, 500, 502, 503, 504)
_PATIENCE_ON_LOOPBACK = 10
_RETRY = "check the network, then run the same command again"
_REASONS: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    ((ProxyError,), "the proxy refuses or does not answer", "check HTTPS_PROXY and NO_PROXY"),
    ((Timeout, TimeoutError), "no answer in time", _RETRY),
    (
        (NameResolutionError, socket.gaierror),
        "there is no such host",
        "check its name, the network, and whether it needs a proxy",
    ),
    ((ConnectionRefusedError,), "nothing listens there (connection refused)", _RETRY),
)
"""Says what each kind of error means, wherever among the causes it stands; the first one counts."""
_PASSING = (NoConnection, Timeout, ConnectionError, TimeoutError, socket.gaierror)


class _BoundedRetry(Retry):
    """Waits as long as a server asks for, but no longer than it may."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Give the seconds that the server asks for, at most ``LONGEST_WAIT``."""
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, LONGEST_WAIT)

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Say what a pause is for before it begins."""
        seconds = self.get_backoff_time()
        if response is not None:
            seconds = self.get_retry_after(response) or seconds
        if seconds > 0:
            trouble = _describe_attempt(self)
            _LOG.warning("%s; again in %.0f s", trouble, seconds)
            time.sleep(seconds)


def _describe_attempt(retry: Retry) -> str:
    """Say which question is asked again, and why."""
    last = retry.history[-1]
    error = last.error
    cause = f"answered {last.status}"
    if error is not None:
        kind = type(error)
        cause = f"did not answer ({kind.__name__})"
    address = last.url or ""
    path, _, _ = address.partition("?")
    return f"registry: {last.method} {path} {cause}"


class Connections(Session):
    """Connects as ``environment`` says.

    A request to a busy server is sent again, up to ``attempts`` times (``ATTEMPTS`` where that is
    ``None``).
    """

    def __init__(self, environment: Mapping[str, str], attempts: int | None = None) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = _MOST_REDIRECTS
        self._environment = environment
        self._attempts = ATTEMPTS if attempts is None else attempts

    def get_adapter(self, url: str) -> BaseAdapter:
        """Give what connects to the server of ``url``; plain HTTP is for this machine alone."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidURL("it is no address of a server")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise StepFailed(
                f"{printable(parts.hostname)} would be asked without TLS, for anybody on the way "
                "to read",
                hint="name it by an address that begins with https://; where a registry named it, "
                "whoever runs that has to",
            )
        place = f"{parts.scheme}://{parts.netloc}"
        adapter = self.adapters.get(place)
        if adapter is None:
            adapter = self._connect(parts.scheme, parts.netloc)
            # Not `mount`, which reorders all of them: threads may share a session.
            self.adapters[place] = adapter
        return adapter

    def _connect(self, scheme: str, host: str) -> HTTPAdapter:
        retry = _BoundedRetry(
            total=self._attempts,
            connect=min(2, self._attempts),
            # Certificates do not get better.
            other=0,
            status_forcelist=_BUSY,
            raise_on_status=False,
            # POST asks for a token: that changes nothing.
            allowed_methods=("GET", "HEAD", "DELETE", "POST"),
            backoff_factor=_BACKOFF,
            backoff_jitter=_BACKOFF,
            backoff_max=LONGEST_WAIT,
        )
        context = None
        if scheme == "https":
            context = make_tls_context(self._environment, host)
        return _Adapter(self._environment, context, retry)


class _Adapter(HTTPAdapter):
    """Sends one request after the other; a redirect keeps no connection."""

    def __init__(
        self, environment: Mapping[str, str], context: ssl.SSLContext | None, retry: Retry
    ) -> None:
        self._environment = environment
        self._context = context
        super().__init__(max_retries=retry)

    def init_poolmanager(self, *words: Any, **options: Any) -> None:  # Any: as requests calls it
        super().init_poolmanager(*words, **options, ssl_context=self._context)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # Any: as requests calls it
        return super().proxy_manager_for(proxy, **options, ssl_context=self._context)

    def cert_verify(self, *_words: object, **_options: object) -> None:
        """Leave it to the context, which knows whom to trust."""

    def send(
        self,
        request: PreparedRequest,
        *words: Any,  # Any: as requests calls it
        **options: Any,
    ) -> Response:
        options["timeout"] = options.get("timeout") or _TIMEOUT
        options["proxies"] = find_proxies(request.url or "", self._environment)
        response = super().send(request, *words, **options)
        if response.is_redirect:
            response.close()
        return response


def explain_trouble(error: Exception, host: str, question: str) -> StepFailed:
    """Say which trouble kept ``host`` from answering ``question``: the way, TLS, or an answer."""
    reason, hint = _find_reason(error, host)
    return StepFailed(
        f"could not ask {host} for {question}: {reason}",
        hint=hint,
        passes=isinstance(error, _PASSING) and not isinstance(error, SSLError),
    )


def speaks_tls(host: str, port: int) -> bool:
    """Say whether a server on this machine speaks TLS; raises ``OSError`` where none listens."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is sent: whether it can be trusted is seen by whoever asks it.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((host, port), _PATIENCE_ON_LOOPBACK) as connection:
        try:
            with context.wrap_socket(connection, server_hostname=host):
                return True
        except OSError:
            return False


def _find_reason(error: Exception, host: str) -> tuple[str, str]:
    """Give what went wrong, and what to do next."""
    if isinstance(error, SSLError):
        return _find_tls_reason(error, host)
    causes = _list_causes(error)
    for kinds, reason, hint in _REASONS:
        if any(isinstance(cause, kinds) for cause in causes):
            return reason, hint
    if isinstance(error, _PASSING):
        kind = type(causes[-1])
        return f"no connection ({kind.__name__})", _RETRY
    advice = f"check what stands between you and {host}"
    return f"its answer leads nowhere: {error}", advice


def _find_tls_reason(error: SSLError, host: str) -> tuple[str, str]:
    words = str(error).partition("certificate verify failed: ")[2] or str(error)
    words = words.partition(" (_ssl.c")[0]
    return (
        f"the certificate of {host} is not trusted: {words}",
        "if its authority is your own, set SSL_CERT_FILE to a file with its certificate; if it has "
        "ended or is for another name, whoever runs it has to renew it",
    )


def _list_causes(error: BaseException) -> list[BaseException]:
    """Give the error and what it came from, down to the first one."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = _find_cause(cause)
    return causes


def _find_cause(error: BaseException) -> BaseException | None:
    """Give what an error came from: urllib3 names it, requests wraps it, Python chains it."""
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return reason
    for word in error.args:
        if isinstance(word, BaseException):
            return word
    return error.__cause__ or error.__context__

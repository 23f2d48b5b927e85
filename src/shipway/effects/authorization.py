"""Answers a registry that wants to know who asks: with a login, or with a token got for it.

Sources: distribution's specification of token authentication (``token.md``, ``oauth.md``), and RFC
7617 for Basic. A token is for one scope and lasts a while; with each challenge the login is looked
up anew, since it may have changed.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import msgspec

from shipway.effects.challenges import Challenge, choose_challenge, parse_challenges
from shipway.effects.logins import Login, config_path, find_login
from shipway.effects.registry_refusals import is_busy, read_beginning
from shipway.errors import StepFailed
from shipway.image.documents import printable

if TYPE_CHECKING:
    from requests import Response

    from shipway.effects.connections import Connections

_CLIENT = "shipway"
_SHORTEST_LIFE = 60.0
"""Seconds that a token lasts where the server says nothing, or less."""
_MARGIN = 5.0
"""Seconds before its end in which a token is not used any more."""
_WIDEST = 200
_REFUSALS = (400, 401, 403)


class _Token(NamedTuple):
    text: str
    end: float
    """When it ends, on the clock ``time.monotonic``."""


class _TokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    token: str | None = None
    access_token: str | None = None
    expires_in: float | None = None


class Authorization:
    """Knows how one registry is answered: by which challenge for which action.

    ``host`` is the registry's, ``key`` the name under which Docker keeps its login, ``path`` the
    image's name there.
    """

    def __init__(
        self,
        connections: Connections,
        host: str,
        key: str,
        path: str,
        environment: Mapping[str, str],
    ) -> None:
        self._connections = connections
        self._host = host
        self._key = key
        self._path = path
        self._environment = environment
        self._challenges: dict[str, Challenge] = {}
        self._basic: str | None = None
        self._tokens: dict[tuple[str, str], _Token] = {}

    def known_header(self, action: str) -> str | None:
        """Give the header for ``pull`` or ``delete``, as far as the registry has said how."""
        challenge = self._challenges.get(action)
        if challenge is None or self._basic is not None:
            return self._basic
        place = self._token_place(challenge, action)
        token = self._tokens.get(place)
        if token is None or token.end <= time.monotonic():
            return self._fetch_bearer(challenge, action)
        return f"Bearer {token.text}"

    def answer(self, header: str, action: str) -> str | None:
        """Give the header that answers a challenge, ``None`` where the registry makes none.

        Raises ``StepFailed`` where it cannot be answered.
        """
        challenges = parse_challenges(header)
        challenge = choose_challenge(challenges)
        if challenge is None:
            if challenges:
                schemes = ", ".join(repr(challenge.scheme) for challenge in challenges)
                raise StepFailed(
                    f"{self._host} wants a way to log in that shipway does not know: {schemes}",
                    hint="shipway answers Basic and Bearer, as Docker does",
                )
            return None
        if challenge.scheme == "basic":
            self._basic = self._answer_basic()
            return self._basic
        self._challenges[action] = challenge
        return self._fetch_bearer(challenge, action)

    def describe_login(self) -> str:
        """Say whose login is in use, and where it was looked for."""
        login = find_login(self._key, self._environment)
        place = config_path(self._environment) or "Docker's configuration"
        where = f"for {self._key} in {place}"
        if login is None:
            return f"no login was found {where}"
        if not login.username:
            return f"the login {where} was used"
        return f"the login of {login.username!r} {where} was used"

    def _answer_basic(self) -> str:
        login = find_login(self._key, self._environment)
        if login is None or not login.username:
            raise self.refusal(f"{self._host} wants a login")
        return _encode_basic(login)

    def _token_place(self, challenge: Challenge, action: str) -> tuple[str, str]:
        """Give the address and the scope of a token."""
        scope = challenge.parameters.get("scope") or f"repository:{self._path}:{action}"
        return challenge.parameters.get("realm", ""), scope

    def _fetch_bearer(self, challenge: Challenge, action: str) -> str:
        """Ask for a token; one that was given before is not used again."""
        login = find_login(self._key, self._environment)
        own_token = login.registry_token if login else ""
        if own_token:
            return f"Bearer {own_token}"
        realm, scope = self._token_place(challenge, action)
        if not realm:
            raise StepFailed(
                f"{self._host} asks for a token, and does not say where there is one",
                hint="whoever runs the registry has to set the realm of its challenge",
            )
        service = challenge.parameters.get("service", "")
        begin = time.monotonic()
        with self._ask_token_server(realm, service, scope, login) as response:
            answer = self._decode_token(response, realm, scope)
        text = answer.token or answer.access_token or ""
        announced = answer.expires_in or 0.0
        life = max(announced, _SHORTEST_LIFE)
        end = begin + life - _MARGIN
        self._tokens[realm, scope] = _Token(text, end)
        return f"Bearer {text}"

    def _ask_token_server(
        self, realm: str, service: str, scope: str, login: Login | None
    ) -> Response:
        """Send the login to the token server; without one, ask as nobody."""
        from shipway.effects.connections import explain_trouble

        try:
            if login is not None and login.identity_token:
                form = {
                    "grant_type": "refresh_token",
                    "client_id": _CLIENT,
                    "service": service,
                    "scope": scope,
                    "refresh_token": login.identity_token,
                }
                return self._connections.post(realm, data=form, stream=True)
            fields: dict[str, str | list[str]] = {"scope": scope.split()}
            headers: dict[str, str] = {}
            if service:
                fields["service"] = service
            if login is not None:
                fields["client_id"] = _CLIENT
                fields["account"] = login.username
                headers["Authorization"] = _encode_basic(login)
            return self._connections.get(
                realm,
                params=fields,
                headers=headers,
                stream=True,
            )
        except (OSError, ValueError) as error:
            raise explain_trouble(error, _show(realm), f"a token for {self._host}") from error

    def _decode_token(self, response: Response, realm: str, scope: str) -> _TokenAnswer:
        status = response.status_code
        server = _show(realm)
        if status in _REFUSALS:
            raise self.refusal(f"{server} gives no token for {scope!r} ({status})")
        if status != 200:
            raise StepFailed(
                f"{server} answered {status}, asked for a token for {self._host}",
                hint="run the same command again; if it stays so, the registry is broken",
                passes=is_busy(status),
            )
        text = read_beginning(response)
        try:
            answer = msgspec.json.decode(text, type=_TokenAnswer)
        except (ValueError, RecursionError):
            answer = _TokenAnswer()
        if not answer.token and not answer.access_token:
            raise StepFailed(
                f"{server} gave an answer without a token for {self._host}",
                hint="check the address, and what stands between; then run the same command again",
                # It broke off.
                passes=not text,
            )
        return answer

    def refusal(self, message: str) -> StepFailed:
        """Give the error of a registry that wants another login; it says which one was used."""
        command = "docker login"
        if self._host == self._key:
            command = f"docker login {self._host}"
        return StepFailed(
            f"{message}; {self.describe_login()}",
            hint=f"log in with `{command}`, as somebody who may do this",
        )


def _encode_basic(login: Login) -> str:
    pair = f"{login.username}:{login.password}".encode()
    encoded = base64.b64encode(pair).decode()
    return f"Basic {encoded}"


def _show(address: str) -> str:
    """Give the part of an address that people may see: no login, no query."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    shown = printable(f"{host}{parts.path}" or address)
    return shown[:_WIDEST]

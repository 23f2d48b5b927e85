"""Secrets are told by their names and by the shapes of their values; both lists stand here alone.

What counts is refused as a build argument, faulted in an image, and blanked out of what is shown;
a variable whose name counts is given only to the commands that ask for it. So of names it is safer
to count too much. They are often written in one word (`PGPASSWORD`, `PRIVATEKEY`), and therefore a
part of the name suffices, in any case.

- `PRIVATE` counts alone: the address of a private index usually holds a login.
- `AUTH` counts at the end (`NPM_AUTH`): `SSH_AUTH_SOCK` is a path, and `AUTHOR` is a person.
- `KEY` counts after `API` or `ACCESS`: `GPG_KEY` of Python's own images names a public key,
  `CACHE_KEY` is no secret, and `MONKEY` and `KEYBOARD` are words.
- `TOKENIZER` does not count: it is a part of a language model.
- `GIT_CONFIG_PARAMETERS` counts: settings of `git -c`, a header with a login among them.
- `PASSWORD_FILE` counts: whether it holds a path or a password cannot be told from its name.

A value may be anything, so its shape has to leave no doubt: an address with a login, or a token
whose maker gives it a prefix. Sources of the prefixes: GitHub "About authentication to GitHub";
GitLab "Token overview"; PyPI "Integrating with tokens"; AWS "IAM identifiers"; Slack "Token types";
Docker "Personal access tokens"; RFC 7519 (JWT), RFC 7468 and RFC 9580 (private keys); Stripe "API
keys"; Google "Manage API keys"; Sentry "Auth tokens"; for the others, and for lengths, gitleaks
8.30, `config/gitleaks.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TypeAlias

_SECRET_NAME = re.compile(
    r"TOKEN(?!I[SZ](E|ATION))|PASSWORD|PASSWD|PASSPHRASE|SECRET|PRIVATE|CREDENTIAL"
    r"|API_?KEY|ACCESS_KEY|_AUTH$|^GIT_CONFIG_PARAMETERS$",
    re.IGNORECASE,
)
_TOKENS = (
    r"gh[oprsu]_[A-Za-z0-9_]{20,}",
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"gl(?:agent|cbt|dt|ffct|ft|imt|oas|pat|ptt|rt|rtr|soat|wt)-[A-Za-z0-9_.-]{20,}",
    r"GR1348941[A-Za-z0-9_-]{20,}",
    r"pypi-(?:AgE[A-Za-z0-9_-]{16,}|[A-Za-z0-9_]{40,})",
    r"npm_[A-Za-z0-9]{30,}",
    r"rubygems_[a-f0-9]{48}",
    r"(?:ABIA|ACCA|AKIA|ASIA)[A-Z0-9]{16}\b",
    r"xox[a-z]-[A-Za-z0-9-]{10,}",
    r"xapp-\d-[A-Za-z0-9-]{20,}",
    r"hooks\.slack\.com/services/T\w+/B\w+/\w{20,}",
    r"dckr_[op]at_[A-Za-z0-9_-]{20,}",
    r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*",
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r"(?:.*?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)?",
    r"AGE-SECRET-KEY-1[A-Z0-9]{58}",
    r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
    r"whsec_[A-Za-z0-9+/]{24,}",
    r"AIza[A-Za-z0-9_-]{35}",
    r"GOCSPX-[A-Za-z0-9_-]{20,}",
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"sntry[su]_[A-Za-z0-9_=+/-]{20,}",
    r"sk-ant-[A-Za-z0-9_-]{20,}",
    r"sk-(?:admin|proj|svcacct)-[A-Za-z0-9_-]{20,}",
    r"sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}",
    r"hf_[A-Za-z0-9]{30,}",
    r"do[opr]_v1_[a-f0-9]{64}",
    r"hv[brs]\.[A-Za-z0-9_-]{24,}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}",
    r"dapi[a-f0-9]{32}\b",
    r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}",
    r"ATATT3[A-Za-z0-9_=-]{50,}",
    r"ATBB[A-Za-z0-9]{32}\b",
    r"lin_api_[A-Za-z0-9]{40}",
    r"pul-[a-f0-9]{40}\b",
    r"AccountKey=[A-Za-z0-9+/]{80,}=*",
    r"[Aa]uthorization: *(?:[Bb]asic|[Bb]earer|[Tt]oken) +[A-Za-z0-9+/=_.~-]{8,}",
)
_LOGIN = re.compile(
    r"""://(?P<user>[^\s/?\#"'<>\\@:]*)(?::(?P<password>[^\s/?\#"'<>\\]*))?@(?!sha\d+:)"""
    r"(?P<host>[A-Za-z0-9_.\-]*)"
)
"""Matches an address with a login; behind a digest's `@` there is no host: `…://alpine:3@sha256:…`.
"""
_QUERY = re.compile(
    r"(?P<key>[?&;](?:access_token|auth_token|private_token|api_?key|client_secret|password|passwd"
    r"|sig|x-amz-signature)=)[A-Za-z0-9%+/=_.~-]{6,}",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\**|x{3,}|X{3,}|\.{3}|\$\w+|\$?\{.*\}|%\w+%|\$\(.*\)")
"""Matches what stands for a password: the name of a variable, or what another tool blanked out."""
_TOKEN_AS_USER = re.compile(
    r"gh[oprsu]_.+|github_pat_.+|glpat-.+|(?=\D*\d)(?=[^a-zA-Z]*[a-zA-Z])[A-Za-z0-9_]{24,}"
)
"""Matches a user that is a token: its maker's prefix is enough, without one it has to be long."""
_PUBLIC_HOST = re.compile(r"(?:.*\.)?(?:ingest|sentry)\..*")
"""Matches the hosts of Sentry, whose addresses name a public key as their user ("DSN Explainer")."""
_AWS_SECRET = re.compile(
    r"(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])(?=\D*\d)[A-Za-z0-9+][A-Za-z0-9+/]{39}", re.ASCII
)
"""Matches a secret access key of AWS, which has no prefix, and therefore counts as a whole value."""
_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_][\w.-]*)=(?P<value>.*)", re.DOTALL)
_MASK = "***"
_PLACE_WORDS = 3
_ENCODED = "data"
"""Names the part of a provenance that holds whole files, encoded in base64."""


@cache
def _token_pattern() -> re.Pattern[str]:
    """Give the pattern of all tokens; a task that shows nothing need not wait for it."""
    tokens = "|".join(_TOKENS)
    return re.compile(rf"(?<![A-Za-z0-9])(?:{tokens})", re.DOTALL)


_Part: TypeAlias = "tuple[tuple[str, ...], object]"
"""Is a part of a document, behind its place."""


def is_secret_name(name: str) -> bool:
    """Answer whether a variable or build argument of that name looks as if it held a secret."""
    return bool(_SECRET_NAME.search(name))


def is_secret_value(name: str, value: str) -> bool:
    """Answer whether the value that goes by a name holds a secret, whatever the name is."""
    is_proxy = name.lower().endswith("_proxy")
    if is_proxy and "://" not in value:
        # curl and its kin take a proxy without a scheme, login and all.
        value = f"http://{value}"
    if _AWS_SECRET.fullmatch(value):
        return True
    shown = mask_secrets(value)
    return shown != value


def is_secret(name: str, value: str) -> bool:
    """Answer whether a name or its value makes a secret of it; what is empty holds none."""
    if is_secret_name(name):
        return True
    return is_secret_value(name, value)


def mask_secrets(text: str) -> str:
    """Replace every token, and the login of every address, by ``***``."""
    pattern = _token_pattern()
    text = pattern.sub(_MASK, text)
    text = _QUERY.sub(_mask_parameter, text)
    text = _LOGIN.sub(_mask_login, text)
    return text


def _mask_parameter(match: re.Match[str]) -> str:
    key = match["key"]
    return f"{key}{_MASK}"


def _mask_login(match: re.Match[str]) -> str:
    if not _is_login(match):
        return match[0]
    host = match["host"]
    return f"://{_MASK}@{host}"


def _is_login(match: re.Match[str]) -> bool:
    """Tell whether an address has a password, or a token in place of a user."""
    password = match["password"]
    if password:
        return not _PLACEHOLDER.fullmatch(password)
    host = match["host"]
    if _PUBLIC_HOST.fullmatch(host):
        return False
    user = match["user"]
    return bool(_TOKEN_AS_USER.fullmatch(user))


def find_passwords(text: str) -> Iterator[str]:
    """Give the passwords in the addresses that a text holds."""
    for match in _LOGIN.finditer(text):
        password = match["password"]
        if password and _is_login(match):
            yield password


def find_secrets(document: object) -> Iterator[tuple[str, ...]]:
    """Give the place of each text of a document that holds a secret: keys, and numbers from 1.

    In a list of texts such as `NAME=value` the name takes the number's place.
    """
    root: _Part = ((), document)
    # A document may be too deep for a function that calls itself.
    parts = [root]
    while parts:
        place, node = parts.pop()
        if isinstance(node, str):
            yield from _judge_text(place, node)
            continue
        inner_parts = list(_list_parts(place, node))
        inner_parts.reverse()
        parts += inner_parts


def _list_parts(place: tuple[str, ...], node: object) -> Iterator[_Part]:
    if isinstance(node, Mapping):
        for key, part in node.items():
            if key != _ENCODED:
                inner_place = (*place, key)
                yield inner_place, part
    if isinstance(node, list | tuple):
        for number, part in enumerate(node, 1):
            inner_place = (*place, str(number))
            yield inner_place, part


def name_secrets(document: object) -> list[str]:
    """Name each place of a document that holds a secret, for people to find."""
    return [describe_place(place) for place in find_secrets(document)]


def describe_place(place: tuple[str, ...]) -> str:
    """Name a place by its last words: `config Env HTTP_PROXY`, `history 3 created_by`."""
    words = place[-_PLACE_WORDS:]
    return " ".join(words)


def _judge_text(place: tuple[str, ...], text: str) -> Iterator[tuple[str, ...]]:
    name = ""
    if place:
        name = place[-1]
    match = _ASSIGNMENT.fullmatch(text)
    if match and name.isdigit():
        name = match["name"]
        text = match["value"]
        place = (*place[:-1], name)
    if is_secret_value(name, text):
        yield place

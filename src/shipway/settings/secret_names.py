"""Names of secrets are told by one list: for settings, the environment and provenances.

A name that counts is refused as a build argument, faulted in a provenance, given only to the
commands that ask for it, and its value is blanked out of all output. So it is safer to count too
much: names are often written in one word (`PGPASSWORD`, `PRIVATEKEY`), and therefore a part of
the name suffices, in any case.

- `PRIVATE` counts alone: the address of a private index usually holds a login.
- `AUTH` counts at the end (`NPM_AUTH`): `SSH_AUTH_SOCK` is a path, and `AUTHOR` is a person.
- `KEY` counts after `API` or `ACCESS`: `GPG_KEY` of Python's own images names a public key,
  `CACHE_KEY` is no secret, and `MONKEY` and `KEYBOARD` are words.
- `TOKENIZER` does not count: it is a part of a language model.
- `GIT_CONFIG_PARAMETERS` counts: settings of `git -c`, a header with a login among them.
- `PASSWORD_FILE` counts: whether it holds a path or a password cannot be told from its name.
"""

from __future__ import annotations

import re

_SECRET_NAME = re.compile(
    r"TOKEN(?!I[SZ](E|ATION))|PASSWORD|PASSWD|PASSPHRASE|SECRET|PRIVATE|CREDENTIAL"
    r"|API_?KEY|ACCESS_KEY|_AUTH$|^GIT_CONFIG_PARAMETERS$",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Answer whether a variable or build argument of that name looks as if it held a secret."""
    return bool(_SECRET_NAME.search(name))

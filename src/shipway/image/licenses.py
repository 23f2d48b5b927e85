"""License expressions against a list of licenses that are allowed. Pure.

Grammar: SPDX specification, "SPDX license expressions" (annex D).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_WORD = re.compile(r"\(|\)|[^\s()]+")
UNKNOWN = ("", "NOASSERTION", "NONE")
"""What an SBOM says when it does not know; unknown is never allowed."""


def is_allowed(expression: str, allowed: Collection[str]) -> bool:
    """Whether somebody who accepts only ``allowed`` may use what is under ``expression``.

    Of ``A OR B`` one suffices, of ``A AND B`` both are needed; ``A WITH B`` has to be listed as it stands. What is no
    expression has to be listed as it stands, too. Names are compared as SPDX does, whatever their case.
    """
    known = {" ".join(name.lower().split()) for name in allowed}
    if expression.strip().upper() in UNKNOWN:
        return False
    if " ".join(expression.lower().split()) in known:
        return True
    words = [word.lower() for word in _WORD.findall(expression)]
    try:
        return _Reader(words, known).read()
    except (IndexError, ValueError):
        return False


class _Reader:
    """A reader of one expression: OR binds least, AND more."""

    def __init__(self, words: list[str], known: Collection[str]) -> None:
        self._words, self._known, self._at = words, known, 0

    def read(self) -> bool:
        """All of it; raises ``ValueError`` or ``IndexError`` when it is none."""
        found = self._any()
        if self._at != len(self._words):
            raise ValueError(self._words[self._at])
        return found

    def _any(self) -> bool:
        return any([*self._split("or", self._all)])

    def _all(self) -> bool:
        return all([*self._split("and", self._one)])

    def _split(self, word: str, part: object) -> Iterator[bool]:
        assert callable(part)
        yield part()
        while self._at < len(self._words) and self._words[self._at] == word:
            self._at += 1
            yield part()

    def _one(self) -> bool:
        word = self._words[self._at]
        self._at += 1
        if word == "(":
            found = self._any()
            if self._words[self._at] != ")":
                raise ValueError(word)
            self._at += 1
            return found
        if word in (")", "and", "or", "with"):
            raise ValueError(word)
        if self._at < len(self._words) and self._words[self._at] == "with":
            word = f"{word} with {self._words[self._at + 1]}"
            self._at += 2
        return word in self._known

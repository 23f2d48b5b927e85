"""License expressions are held against a list of licenses that are allowed.

Grammar: SPDX specification, "SPDX license expressions" (annex D), read by `license-expression`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from license_expression import LicenseExpression

UNKNOWN = ("", "NOASSERTION", "NONE")
"""What an SBOM says when it does not know; unknown is never allowed."""
_OPERATORS = ("and", "or", "with")


def is_allowed(expression: str, allowed: Collection[str]) -> bool:
    """Answer whether somebody who accepts only ``allowed`` may use what is under ``expression``.

    ``A OR B`` needs one of both, ``A AND B`` needs both; ``A WITH B`` has to be listed as it
    stands. What is no expression has to be listed as it stands, too. Names are compared as SPDX
    does, whatever their case.
    """
    listed = {_fold(name) for name in allowed}
    bare_expression = expression.strip()
    if bare_expression.upper() in UNKNOWN:
        return False
    if _fold(expression) in listed:
        return True
    if not _alternates(expression):
        return False
    # Importing it takes a tenth of a second, and most licenses are listed as they stand.
    from license_expression import ExpressionError, Licensing

    try:
        # Without its index of all licenses, which is slow to read: any name may be listed.
        parsed = Licensing().parse(expression)
        return _is_satisfied(parsed, listed)
    except (ExpressionError, IndexError, RecursionError):  # IndexError: its answer to `() MIT`.
        return False


def _alternates(expression: str) -> bool:
    """Answer whether names and operators alternate, parentheses aside.

    The library does not mind: it takes `MIT OR` and `(GPL-3.0-only) MIT`, and prose as one name.
    """
    expects_name = True
    text = re.sub(r"[()]", " ", expression)
    for word in text.split():
        is_name = word.lower() not in _OPERATORS
        if is_name != expects_name:
            return False
        expects_name = not expects_name
    return not expects_name


def _is_satisfied(expression: LicenseExpression, listed: Collection[str]) -> bool:
    """Answer whether the licenses that are listed suffice for a parsed expression."""
    parts = (_is_satisfied(part, listed) for part in expression.args)
    operator = type(expression).__name__
    if operator == "OR":
        return any(parts)
    if operator == "AND":
        return all(parts)
    return _fold(expression.render()) in listed


def _fold(name: str) -> str:
    words = name.lower().split()
    return " ".join(words)

"""License expressions against a list."""

from __future__ import annotations

import pytest

from shipway.image.licenses import is_allowed

ALLOWED = (
    "MIT",
    "Apache-2.0",
    "GPL-2.0-only WITH Classpath-exception-2.0",
    "BSD License",
    "LicenseRef-Own",
    "MIT/X11",
)


@pytest.mark.parametrize(
    "expression",
    [
        "MIT",
        "mit",
        "MIT AND Apache-2.0",
        "GPL-3.0-only OR MIT",
        "(MIT OR X) AND Apache-2.0",
        "((MIT))",
        "GPL-2.0-only  WITH Classpath-exception-2.0",
        "MIT AND (GPL-2.0-only WITH Classpath-exception-2.0)",
        "BSD License",
        "X AND Y OR MIT",
        "mit and apache-2.0 or X",
        "MIT AND\tgpl-2.0-only with classpath-EXCEPTION-2.0",
        "licenseref-own AND MIT",
        "DocumentRef-spdx:LicenseRef-X OR LicenseRef-Own",
        "GPL-3.0+ OR MIT",
        "MIT/X11",
    ],
)
def test_allowed(expression: str) -> None:
    assert is_allowed(expression, ALLOWED)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        " ",
        "NOASSERTION",
        "none",
        "GPL-3.0-only",
        "MIT AND X",
        "X OR Y",
        "GPL-2.0-only",
        "MIT WITH evil-exception",
        "MIT OR",
        "OR MIT",
        "(MIT",
        "MIT)",
        "MIT MIT",
        "()",
        "MIT AND (X OR Y)",
        "WITH",
        "MIT WITH",
        "X OR MIT AND Y",
        "LicenseRef-X",
        "() MIT",
        "(X) MIT",
        "(OR MIT",
        "MIT OR X OR",
        "(MIT) OR (X) MIT",
        "MIT OR a license of our own",
        "X OR BSD License",
        "MIT OR MIT/X11",
        "MIT, X OR MIT",
        "MIT WITH X WITH Y",
        "(MIT OR X) WITH Y",
        "X OR (MIT AND " * 900 + "MIT" + ")" * 900,
    ],
)
def test_refused(expression: str) -> None:
    assert not is_allowed(expression, ALLOWED)


def test_an_unknown_license_is_refused_even_when_it_is_listed() -> None:
    assert not is_allowed("NOASSERTION", ("NOASSERTION",))

"""How the tests lie: what several modules need is in `tests/support/`, and no test module is imported."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def imported_names(source: str, package: str) -> Iterator[str]:
    """Every module that a source imports, and every name that it takes from one, with dots and without aliases."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def find_test_modules(source: str, package: str = "tests") -> set[str]:
    """Give the names of a source's imports that lead into a test module or a conftest."""
    return {
        name
        for name in imported_names(source, package)
        if name.startswith("tests.")
        and any(part == "conftest" or part.startswith("test_") for part in name.split("."))
    }


@pytest.mark.parametrize(
    "line",
    [
        "from tests.run.test_reconcile import run",
        "import tests.run.test_reconcile as loop",
        "from tests.run import test_reconcile",
        "from .test_reconcile import run",
        "from tests.e2e.conftest import Kept",
        "def late():\n    from tests.run.test_reconcile import run",
    ],
)
def test_an_import_of_a_test_module_is_found_in_every_spelling(line: str) -> None:
    assert find_test_modules(line, "tests.run")


@pytest.mark.parametrize(
    "line",
    [
        "from tests.support.scene import Scene",
        "import pytest",
        "from tests.faults import world",
        "from test_x import y",
    ],
)
def test_other_imports_are_let_through(line: str) -> None:
    assert not find_test_modules(line)


def test_no_test_module_is_imported_from_another_one() -> None:
    imports = {}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        name = path.relative_to(ROOT)
        imports[str(name)] = find_test_modules(
            path.read_text(encoding="utf-8"), ".".join(name.parent.parts)
        )
    assert len(imports) > 100
    guilty = {name: modules for name, modules in imports.items() if modules}
    assert guilty == {}, "move what is shared to tests/support/"


@pytest.mark.process
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no checkout")
def test_git_ignores_no_source() -> None:
    listed = ("ls-files", "--others", "--ignored", "--exclude-standard", "--", "src", "tests")
    done = subprocess.run(
        ("git", *listed), cwd=ROOT, check=True, capture_output=True, encoding="utf-8"
    )
    ignored = [name for name in done.stdout.splitlines() if "__pycache__" not in name]
    assert not [name for name in ignored if name.endswith(".py")]

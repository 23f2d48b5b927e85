"""Where a project states its version, by its build backend; and the lock file that repeats it."""

from __future__ import annotations

import tomllib

import pytest

from shipway.target.locked_version import set_locked_version
from shipway.target.version_places import Origin, find_statement

DYNAMIC = '[project]\nname = "my-app"\ndynamic = ["version"]\n'
STATIC = '[project]\nname = "my-app"\nversion = "1.0.0"\n'


@pytest.mark.parametrize(
    ("text", "path", "source"),
    [
        (STATIC, "pyproject.toml", STATIC),
        (
            '[project]\nname = "x"\ndynamic = ["version"]\n[tool.poetry]\nversion = \'1.0.0\'\n',
            "pyproject.toml",
            "[tool.poetry]\nname = 'x'\nversion = '1.0.0'",
        ),
        (
            f'{DYNAMIC}[tool.hatch.version]\npath = "my_app/__about__.py"\n',
            "my_app/__about__.py",
            "# VERSION\n__version__: str = '1.0.0'  # here\n",
        ),
        (
            f'{DYNAMIC}[tool.hatch.version]\npath = "a.py"\n'
            "pattern = 'RELEASE is (?P<version>[^ ]+) '\n",
            "a.py",
            "RELEASE is 1.0.0 today\n",
        ),
        (
            f'{DYNAMIC}[tool.setuptools.dynamic]\nversion = {{attr = "my_app.meta.VERSION"}}\n',
            "src/my_app/meta.py",
            'VERSION = "1.0.0"\r\n',
        ),
        (
            f'{DYNAMIC}[tool.setuptools]\npackage-dir = {{"" = "python"}}\n'
            '[tool.setuptools.dynamic]\nversion = {attr = "my_app.__version__"}\n',
            "python/my_app/__init__.py",
            '"""It."""\n__version__ = "v1.0.0"\n',
        ),
        (
            f'{DYNAMIC}[tool.setuptools.dynamic]\nversion = {{file = ["VERSION"]}}\n',
            "VERSION",
            "1.0.0\n",
        ),
        (
            f'[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n{DYNAMIC}',
            "my_app/__init__.py",
            '__version__ = "1.0.0"',
        ),
        (
            f'{DYNAMIC}[tool.pdm.version]\nsource = "file"\npath = "src/my_app/__init__.py"\n',
            "src/my_app/__init__.py",
            '__version__ = "1.0.0"',
        ),
        (
            f'{DYNAMIC}[tool.semantic_release]\nversion_variables = ["c1/__init__.py:__version__"]\n',
            "c1/__init__.py",
            '__version__ = "1.0.0"',
        ),
    ],
)
def test_a_version_in_a_file_is_found_and_written_there(text: str, path: str, source: str) -> None:
    statement = find_statement(tomllib.loads(text))
    assert statement.origin is Origin.FILE
    (place,) = statement.places
    assert path in place.paths
    assert place.read(source) == "1.0.0"
    assert place.write(source, "1.1.0") == source.replace("1.0.0", "1.1.0")


def test_both_tables_of_a_project_of_poetry_count() -> None:
    statement = find_statement(tomllib.loads(f'{STATIC}[tool.poetry]\nversion = "1.0.0"\n'))
    assert [place.name for place in statement.places] == ["project.version", "tool.poetry.version"]


def test_a_version_of_another_table_is_left_alone() -> None:
    text = (
        '[tool.other]\nversion = "1.0.0"\n[project]\nkeywords = [\n  "a",\n]\nversion = "1.0.0"\n'
    )
    (place,) = find_statement(tomllib.loads(text)).places
    written = tomllib.loads(place.write(text, "1.1.0"))
    assert written["project"]["version"] == "1.1.0"
    assert written["tool"]["other"]["version"] == "1.0.0"


@pytest.mark.parametrize(
    "text",
    [
        '[build-system]\nrequires = ["hatchling", "hatch-vcs>=0.4"]\n[tool.hatch.version]\nsource = "vcs"\n',
        '[build-system]\nrequires = ["setuptools", "setuptools_scm[toml]>=8"]\n',
        "[tool.setuptools_scm]\n",
        '[tool.pdm.version]\nsource = "scm"\n',
        '[tool.poetry]\nversion = "0.0.0"\n[tool.poetry-dynamic-versioning]\nenable = true\n',
        "[build-system]\nrequires = [\"uv-dynamic-versioning; python_version > '3'\"]\n",
    ],
)
def test_a_backend_may_take_the_version_from_the_tag(text: str) -> None:
    statement = find_statement(tomllib.loads(DYNAMIC + text))
    assert (statement.origin, statement.places) == (Origin.TAG, ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[build-system]\nrequires = ["maturin"]\n',
        '[build-system]\nrequires = ["not a requirement!"]\n',
        '[tool.hatch.version]\nsource = "env"\n',
    ],
)
def test_nothing_may_say_where_it_comes_from(text: str) -> None:
    assert find_statement(tomllib.loads(DYNAMIC + text)).origin is Origin.UNKNOWN


LOCK = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "a"
version = "1.0.0"
source = { registry = "https://packages.example/simple" }

[[package]]
name = "my-app"
version = "1.0.0"
source = { editable = "." }
dependencies = [
    { name = "a" },
]

[package.metadata]
requires-dist = [{ name = "a", specifier = ">=1.0.0" }]

[[package]]
name = "my-app"
version = "1.0.0"
source = { registry = "https://packages.example/simple" }
"""


@pytest.mark.parametrize("kind", ["editable", "virtual", "directory"])
@pytest.mark.parametrize(("name", "path"), [("my-app", "."), ("My.App", "packages/app")])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_one_line_of_the_lock_changes(kind: str, name: str, path: str, end: str) -> None:
    lock = LOCK.replace("\n", end).replace('editable = "."', f'{kind} = "{path}"')
    locked = set_locked_version(lock, name, path, "1.1.0")
    before, after = lock.split("\n"), locked.split("\n")
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [(old.strip(), new.strip()) for old, new in changed] == [
        ('version = "1.0.0"', 'version = "1.1.0"')
    ]
    assert after.index(changed[0][1]) == 10


def test_a_lock_without_the_projects_own_version_stays_as_it_is() -> None:
    assert set_locked_version(LOCK, "other", ".", "1.1.0") == LOCK
    assert set_locked_version(LOCK, "my-app", "app", "1.1.0") == LOCK
    dynamic = LOCK.replace('name = "my-app"\nversion = "1.0.0"\n', 'name = "my-app"\n', 1)
    assert set_locked_version(dynamic, "my-app", ".", "1.1.0") == dynamic

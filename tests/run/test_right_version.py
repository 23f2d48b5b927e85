"""Which release a commit is, and which version is due: with the real release tool, on real histories."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shipway.errors import Conflict, ContextError, SettingsError, ShipwayError
from shipway.run import documents
from shipway.run.release import preview_release
from shipway.run.stage import preview_stage
from shipway.run.status import read_status
from tests.support.repositories import CHANGELOG, git
from tests.support.ways import Ways

pytestmark = pytest.mark.process


@pytest.fixture(name="ways")
def fixture_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ways:
    """A conventional project that was never released, whose version can be asked for."""
    ways = Ways(tmp_path)
    monkeypatch.setattr(documents, "open_session", lambda _progress: ways.scene.session())
    return ways


def read_next() -> tuple[object, object]:
    """Ask for the last version and the next one, as `shipway version` does."""
    document = documents.version_document(lambda _: None)
    return document["current"], document["next"]


def refusals(ways: Ways) -> set[tuple[type[ShipwayError], str]]:
    """Say how the version, the release, the status and the first stage after it refuse."""

    def status() -> object:
        return list(read_status(ways.scene.session()))

    calls = (
        lambda: documents.version_document(lambda _: None),
        lambda: preview_release(ways.scene.session()),
        lambda: ways.scene.release(until="verify"),
        status,
    )
    errors: set[tuple[type[ShipwayError], str]] = set()
    for call in calls:
        with pytest.raises(ShipwayError) as caught:
            call()
        errors.add((type(caught.value), str(caught.value)))
    assert ways.scene.remotes.changes == 0
    return errors


def project(version: str = "1.0.0", more: str = "", name: str = "toy") -> dict[str, str]:
    """Give the files of a project that states its version."""
    text = f'[project]\nname = "{name}"\nversion = "{version}"\n{more}'
    return {"pyproject.toml": text, "CHANGELOG.md": CHANGELOG}


def dynamic(more: str) -> dict[str, str]:
    """Give the files of a project that takes its version from elsewhere."""
    text = f'[project]\nname = "toy"\ndynamic = ["version"]\n{more}'
    return {"pyproject.toml": text, "CHANGELOG.md": CHANGELOG}


class TestWhichReleaseACommitIs:
    """A tag on the commit, or on a release commit of shipway's on top of it that the branch has."""

    def test_a_tag_of_somebody_else_one_commit_further_is_none(self, ways: Ways) -> None:
        ways.write(project(), "feat: one", "v1.0.0")
        head = ways.write({"a": ""}, "feat: two")
        tree = git(ways.scene.clone, "rev-parse", "HEAD^{tree}")
        child = git(ways.scene.clone, "commit-tree", "-p", head, "-m", "fix: elsewhere", tree)
        git(ways.scene.clone, "tag", "v1.0.1", child)
        ways.push("refs/tags/v1.0.1")
        assert read_next() == ("1.0.0", "1.1.0")
        decision, *_ = read_status(ways.scene.session())
        assert decision.finding.evidence == "1.0.0 → 1.1.0 (minor)"
        with pytest.raises(ContextError, match="nothing to publish"):
            preview_stage(ways.scene.session(), "publish")
        assert ways.release()[0] == "1.1.0"
        assert read_next() == ("1.1.0", None)

    def test_nor_one_with_the_words_of_a_release_alone(self, ways: Ways) -> None:
        ways.write(project(), "feat: one", "v1.0.0")
        ways.write({"a": ""}, "feat: two")
        ways.write({"b": ""}, "chore(release): v1.1.0 [skip ci]", "v1.1.0")
        git(ways.scene.clone, "checkout", "--quiet", "-B", "main", "HEAD~1")
        with pytest.raises(Conflict, match=r"v1\.1\.0 was released already"):
            read_next()

    def test_nor_a_release_commit_that_the_branch_lost(self, ways: Ways) -> None:
        base = git(ways.scene.clone, "rev-parse", "HEAD")
        assert ways.release()[0] == "0.1.0"
        git(ways.bare, "update-ref", "refs/heads/main", base)
        with pytest.raises(Conflict, match="was released already"):
            read_next()

    def test_with_tags_alone_a_child_is_none(self, ways: Ways) -> None:
        files = dynamic("[tool.shipway.release]\ntag-only = true\n")
        ways.write(files, "feat: one", "v1.0.0")
        two = ways.write({"a": ""}, "feat: two")
        ways.write({"b": ""}, "fix: three", "v1.1.0")
        assert read_next() == ("1.1.0", None)
        git(ways.scene.clone, "checkout", "--quiet", "-B", "main", two)
        with pytest.raises(Conflict, match=r"v1\.1\.0 was released already"):
            read_next()

    def test_of_several_tags_the_highest_of_the_projects_format_counts(self, ways: Ways) -> None:
        ways.write(project(), "feat: one", "v1.0.0-rc.1", "v1.0.0", "v1.0.0-rc.2", "0.9.0", "x")
        assert read_next() == ("1.0.0", None)
        git(ways.scene.clone, "checkout", "--quiet", "--detach")
        tags = documents.tags_document(lambda _: None)
        assert (tags["version"], tags["tags"][0]) == ("1.0.0", "v1.0.0")
        assert read_next() == ("1.0.0", None)

    def test_a_tag_that_names_another_tag_is_that_of_its_commit(self, ways: Ways) -> None:
        head = ways.write(project(), "feat: one")
        for name, named in (("v1.0.0-rc.1", head), ("v1.0.0", "v1.0.0-rc.1"), ("v1", "v1.0.0")):
            git(ways.scene.clone, "tag", "--annotate", "--message", name, name, named)
        ways.push("refs/tags/v1.0.0-rc.1", "refs/tags/v1.0.0", "refs/tags/v1")
        assert read_next() == ("1.0.0", None)
        git(ways.scene.clone, "checkout", "--quiet", "--detach")
        tags = documents.tags_document(lambda _: None)
        assert (tags["version"], tags["tags"][0]) == ("1.0.0", "v1.0.0")
        git(ways.scene.clone, "checkout", "--quiet", "main")
        ways.write({"a": ""}, "fix: two")
        assert read_next() == ("1.0.0", "1.0.1")

    def test_a_tag_of_a_file_is_no_release_whatever_it_is_called(self, ways: Ways) -> None:
        ways.write(project(), "feat: one", "v1.0.0")
        for name in ("v2.0.0", "4.0.0"):
            git(ways.scene.clone, "tag", name, "HEAD:CHANGELOG.md")
            ways.push(f"refs/tags/{name}")
        ways.write({"a": ""}, "fix: two")
        assert read_next() == ("1.0.0", "1.0.1")

    def test_a_candidate_is_no_release_of_a_branch_of_full_ones(self, ways: Ways) -> None:
        branches = (
            '[tool.shipway.release]\nbranches = ["main", "next"]\n'
            '[tool.semantic_release]\nversion_toml = ["pyproject.toml:project.version"]\n'
            '[tool.semantic_release.branches.main]\nmatch = "main"\n'
            '[tool.semantic_release.branches.next]\nmatch = "next"\nprerelease = true\n'
        )
        ways.write(project(more=branches), "feat: one", "v1.0.0")
        ways.commit("feat: two", "next")
        assert ways.release()[0] == "1.1.0-rc.1"
        assert read_next() == ("1.1.0-rc.1", None)
        git(ways.scene.clone, "fetch", "--quiet", str(ways.bare), "next")
        git(ways.scene.clone, "checkout", "--quiet", "-B", "main", "FETCH_HEAD")
        ways.push("main")
        assert read_next() == ("1.0.0", "1.1.0")
        assert ways.release()[0] == "1.1.0"

    def test_a_tag_that_somebody_set_on_the_head_is_no_release_until_it_is_checked_out(
        self, ways: Ways
    ) -> None:
        section = f"{CHANGELOG}\n## v1.0.0 (2020-01-01)\n\n- One\n"
        ways.write({**project(), "CHANGELOG.md": section}, "feat: one", "v1.0.0", "v0.9.0")
        decision, *_ = read_status(ways.scene.session())
        assert decision.finding.evidence == "no release is due since 1.0.0"
        assert read_next() == ("1.0.0", None)
        with pytest.raises(ContextError, match="nothing to publish"):
            preview_stage(ways.scene.session(), "publish")
        git(ways.scene.clone, "checkout", "--quiet", "--detach")
        decision, *_ = read_status(ways.scene.session())
        assert decision.finding.evidence == "v1.0.0 was made of this commit"

    def test_a_checked_out_tag_that_the_remote_lacks_is_no_release(self, ways: Ways) -> None:
        git(ways.scene.clone, "tag", "v9.0.0")
        git(ways.scene.clone, "checkout", "--quiet", "--detach")
        assert {kind for kind, _ in refusals(ways)} == {ContextError}

    @pytest.mark.parametrize("branch", ["topic", "mainline", "main'\"x"])
    def test_a_branch_that_is_not_released_says_so_everywhere(
        self, ways: Ways, branch: str
    ) -> None:
        git(ways.scene.clone, "checkout", "--quiet", "-b", branch)
        session = ways.scene.session()
        for call in (
            lambda: documents.version_document(lambda _: None),
            ways.scene.release,
            lambda: preview_stage(session, "publish"),
            lambda: preview_stage(session, "document"),
        ):
            with pytest.raises(ContextError, match="is not a release branch"):
                call()
        decision, *_ = read_status(session)
        assert "is not a release branch" in decision.finding.evidence

    @pytest.mark.parametrize("branch", ["1.x", "a+b('\"ö"])
    def test_a_release_branch_may_be_called_what_git_allows(self, ways: Ways, branch: str) -> None:
        quoted = "'''" + branch + "'''"
        ways.write(project("0.0.0", f"[tool.shipway.release]\nbranches = [{quoted}]\n"), "feat: a")
        git(ways.scene.clone, "checkout", "--quiet", "-b", branch)
        ways.push(branch)
        assert read_next() == (None, "0.1.0")


class TestNeverBackwards:
    """What would be below the project's own version, or below a tag, is refused by all alike."""

    @pytest.mark.parametrize(
        ("version", "tags", "hint"),
        [
            ("4.3.0", ["4.3.0"], 'tag-format = "{version}"'),
            ("0.0.0", ["toy-1.2"], 'tag-format = "toy-{version}"'),
            ("0.0.0", ["release/1.2.3"], 'tag-format = "release/{version}"'),
            ("0.0.0", ["v0.19.1", "2026.08.17"], 'tag-format = "{version}"'),
            ("1.4.0", [], "tag the commit that 1.4.0 was released of"),
            ("2.19.0.dev0", ["v1.6.0"], "release a higher level"),
        ],
    )
    def test_a_wrong_version_is_refused_with_what_to_do(
        self, ways: Ways, version: str, tags: list[str], hint: str
    ) -> None:
        ways.write(project(version), "feat: one", *tags)
        ways.write({"a": ""}, "fix: two")
        ((kind, text),) = refusals(ways)
        assert kind is SettingsError and hint in text

    def test_with_the_format_that_fits_it_goes_on(self, ways: Ways) -> None:
        ways.write(project("4.3.0"), "feat: one", "4.3.0")
        ways.write(
            project("4.3.0", '[tool.shipway.release]\ntag-format = "{version}"\n'), "fix: two"
        )
        assert read_next() == ("4.3.0", "4.3.1")


REPEATED = [
    ("setup.cfg", "[metadata]\nname = toy\nversion = 1.0.0\n[options]\nzip_safe = no\n"),
    ("setup.cfg", "[bumpversion]\ncurrent_version = 1.0.0\ncommit = True\n"),
    ("setup.py", "setup(\n    name='toy',\n    version='1.0.0',\n)\n"),
    ("CITATION.cff", 'cff-version: 1.2.0\nmessage: cite it\nversion: "1.0.0"\ntitle: Toy\n'),
    ("pyproject.toml", '[tool.commitizen]\nname = "cz"\nversion = "1.0.0"\n'),
    (".cz.toml", '[tool.commitizen]\nversion = "1.0.0"\n'),
    (".cz.json", '{"commitizen": {"name": "cz", "version": "1.0.0"}}'),
    (".cz.yaml", "commitizen:\n  name: cz\n  version: 1.0.0\n"),
    ("pyproject.toml", '[tool.bumpversion]\ncurrent_version = "1.0.0"\n'),
    (".bumpversion.cfg", "[bumpversion]\ncommit = True\ncurrent_version = 1.0.0\n"),
    (".bumpversion.toml", '[tool.bumpversion]\ncurrent_version = "1.0.0"\n'),
    ("bumpver.toml", '[bumpver]\ncurrent_version = "1.0.0"\n'),
    ("tbump.toml", '[version]\ncurrent = "1.0.0"\n'),
    ("meson.build", "project(\n  'toy', 'c',\n  version : '1.0.0',\n)\n"),
    ("package.json", '{\n  "name": "@acme/toy",\n  "version": "1.0.0",\n  "private": true\n}\n'),
    (
        "package-lock.json",
        '{"name": "toy", "version": "1.0.0", "packages": {"": {"name": "toy", "version": "1.0.0"}}}',
    ),
    ("Chart.yaml", "apiVersion: v2\nname: toy\nversion: 1.0.0\nappVersion: '1.0.0'\n"),
    ("toy.py", '"""It."""\n\n__version__ = "1.0.0"\n'),
    ("src/toy/__about__.py", '__version__ = "1.0.0"\n'),
    ("docs/conf.py", 'project = "Toy"\nrelease = "1.0.0"\nversion = "1.0.0"\n'),
    ("VERSION", "1.0.0\n"),
    ("codemeta.json", '{"@context": "x", "author": [{"name": "a"}], "version": "1.0.0"}'),
]
"""Files of other tools that repeat the version of a project."""
SCIKIT = (
    '[build-system]\nbuild-backend = "scikit_build_core.build"\n'
    '[tool.scikit-build.metadata.version]\nprovider = "scikit_build_core.metadata.regex"\n'
)
BUILT = [
    (
        '[build-system]\nbuild-backend = "setuptools.build_meta"\n',
        "setup.cfg",
        "[metadata]\nversion = 1.0.0",
    ),
    ("", "setup.py", 'setup(\n  version="1.0.0",\n)'),
    (
        '[build-system]\nbuild-backend = "mesonpy"\n',
        "meson.build",
        "project('toy', version: '1.0.0')",
    ),
    (f'{SCIKIT}input = "python/toy.py"\n', "python/toy.py", "import x\n__version__ = '1.0.0'"),
    (
        f"{SCIKIT}input = 'toy.h'\nregex = '(?i)#define TOY \"(?P<value>[^\"]+)\"'\n",
        "toy.h",
        '// it\n#define TOY "1.0.0"',
    ),
]
"""Settings of a build backend, and the file that it reads the version from."""


@pytest.fixture(name="quick")
def fixture_quick(ways: Ways) -> Ways:
    """The project, where a double of the release tool says that 1.1.0 follows 1.0.0."""
    ways.scene.real = False
    ways.scene.last, ways.scene.upcoming = "1.0.0", "1.1.0"
    return ways


class TestEveryFileSaysTheVersion:
    """What is stamped says the version of the release; what is not ends the run before the build."""

    def test_own_settings_of_the_release_tool_do_not_switch_it_off(self, ways: Ways) -> None:
        own = "[tool.semantic_release]\nallow_zero_version = false\n"
        ways.write(project(more=own), "feat: one", "v1.0.0")
        ways.write({"a": ""}, "feat: two")
        changelog = (
            '[tool.semantic_release.changelog]\nmode = "update"\n'
            'insertion_flag = "<!-- version list -->"\n'
        )
        ways.write(project(more=own + changelog), "fix: three")
        assert ways.release()[0] == "1.1.0"
        assert 'version = "1.1.0"' in ways.show("v1.1.0", "pyproject.toml")

    def test_a_version_in_a_file_is_stamped(self, quick: Ways) -> None:
        files = dynamic('[tool.hatch.version]\npath = "r4/__init__.py"\n')
        files["r4/__init__.py"] = '"""R4."""\n\n__version__ = "1.0.0"\n'
        quick.write(files, "feat: one", "v1.0.0")
        quick.write({"a": ""}, "feat: two")
        assert quick.release()[0] == "1.1.0"
        assert quick.show("v1.1.0", "r4/__init__.py").endswith('__version__ = "1.1.0"')

    def test_a_second_statement_in_the_package_is_stamped(self, quick: Ways) -> None:
        more = '[tool.poetry]\nversion = "1.0.0"\n'
        files = {**project(more=more), "src/x/__init__.py": '__version__ = "1.0.0"\r\n'}
        files["src/x/vendored/y.py"] = '__version__ = "1.0.0"\n'
        files["src/x/other.py"] = '__version__ = "3.0.0"\n'
        quick.write(files, "feat: one", "v1.0.0")
        quick.write({"a": ""}, "feat: two")
        assert quick.release()[0] == "1.1.0"
        assert quick.show("v1.1.0", "src/x/__init__.py") == '__version__ = "1.1.0"'
        assert quick.show("v1.1.0", "pyproject.toml").count('version = "1.1.0"') == 2
        assert "1.0.0" in quick.show("v1.1.0", "src/x/vendored/y.py")
        assert "3.0.0" in quick.show("v1.1.0", "src/x/other.py")

    def test_one_that_is_deeper_is_refused_by_name(self, quick: Ways) -> None:
        files = {
            **project(),
            "src/x/__init__.py": "",
            "src/x/core/meta.py": '__version__ = "1.0.0"',
        }
        quick.write(files, "feat: one", "v1.0.0")
        quick.write({"a": ""}, "feat: two")
        with pytest.raises(SettingsError, match=r"src/x/core/meta\.py .* says 1\.0\.0"):
            quick.scene.release()
        assert quick.scene.remotes.changes == 0

    @pytest.mark.parametrize("member", ["", "packages/app/"])
    def test_the_lock_of_uv_says_it_too(self, quick: Ways, member: str) -> None:
        lock = 'version = 1\n\n[[package]]\nname = "toy"\nversion = "1.0.0"\nsource = '
        path = member.rstrip("/") or "."
        lock += f'{{ editable = "{path}" }}\n'
        files = {f"{member}{name}": text for name, text in project().items()}
        files[f"{member}Dockerfile"] = "FROM scratch\n"
        quick.write({**files, "uv.lock": lock}, "feat: one", "v1.0.0")
        quick.write({f"{member}a": ""}, "feat: two")
        quick.scene.clone = quick.scene.clone / member
        assert quick.release()[0] == "1.1.0"
        assert quick.show("v1.1.0", "uv.lock") == lock.replace('"1.0.0"', '"1.1.0"').rstrip()

    @pytest.mark.parametrize(("path", "text"), REPEATED)
    def test_a_file_of_another_tool_says_it_too(self, quick: Ways, path: str, text: str) -> None:
        files = {**project(), path: text}
        if path == "pyproject.toml":
            files[path] = project()[path] + text
        quick.write(files, "feat: one", "v1.0.0")
        quick.write({"a": ""}, "feat: two")
        assert quick.release()[0] == "1.1.0"
        stamped = text.replace("1.0.0", "1.1.0").strip()
        assert quick.show("v1.1.0", path).endswith(stamped)

    def test_what_is_somebody_elses_stays(self, quick: Ways) -> None:
        files = {
            "package.json": '{"name": "other", "version": "1.0.0"}',
            "Chart.yaml": "name: other\nversion: 1.0.0\nappVersion: 1.0.0",
            "charts/toy/Chart.yaml": "name: toy\nversion: 0.3.0\nappVersion: 1.0.0",
            "CITATION.cff": "cff-version: 1.0.0\nversion: 1.0.0.post1\nreferences:\n  - version: 1.0.0",
            "setup.cfg": "[metadata]\nversion = attr: toy.__version__\n[other]\nversion = 1.0.0",
            "docs/VERSION": "1.0.0",
            "meson.build": "project('toy', version: '2.0.0')\ndependency('x', version: '1.0.0')",
        }
        quick.write({**project(), **files}, "feat: one", "v1.0.0")
        quick.write({"a": ""}, "feat: two")
        assert quick.release()[0] == "1.1.0"
        files["charts/toy/Chart.yaml"] = "name: toy\nversion: 0.3.0\nappVersion: 1.1.0"
        assert {path: quick.show("v1.1.0", path) for path in files} == files

    def test_with_tags_alone_what_goes_on_saying_the_old_version_is_named(
        self, quick: Ways
    ) -> None:
        files = dynamic("[tool.shipway.release]\ntag-only = true\n")
        files["CITATION.cff"] = "version: 1.0.0\n"
        quick.write(files, "feat: one", "v1.0.0")
        quick.write({"a": ""}, "feat: two")
        assert quick.release()[0] == "1.1.0"
        assert "CITATION.cff (version) says 1.0.0" in "\n".join(quick.scene.progress)

    @pytest.mark.parametrize(("build", "path", "text"), BUILT)
    def test_a_version_that_a_build_backend_reads_elsewhere_is_stamped(
        self, quick: Ways, build: str, path: str, text: str
    ) -> None:
        quick.write({**dynamic(build), path: text}, "feat: one", "v1.0.0")
        quick.write({"a": ""}, "feat: two")
        assert quick.release()[0] == "1.1.0"
        assert quick.show("v1.1.0", path) == text.replace("1.0.0", "1.1.0")

    @pytest.mark.parametrize(
        ("files", "reason"),
        [
            (
                project(more="[tool.shipway.release]\ntag-only = true\n"),
                r"release would be 1\.1\.0, but pyproject\.toml \(project\.version\) says 1\.0\.0",
            ),
            (
                {
                    **dynamic(
                        '[tool.hatch.version]\npath = "r4.py"\n'
                        "[tool.shipway.release]\ntag-only = true\n"
                    ),
                    "r4.py": '__version__ = "1.0.0"',
                },
                r"but r4\.py \(__version__\) says 1\.0\.0",
            ),
            (dynamic("[tool.setuptools_scm]\n"), "comes from git's tag"),
            (dynamic(""), "nothing in pyproject.toml says where it stands"),
            (dynamic('[tool.hatch.version]\npath = "gone.py"\n'), r"no file for it: gone\.py"),
            (
                {
                    **dynamic('[tool.hatch.version]\npath = "r4.py"\n'),
                    "r4.py": "__version__ = version('r4')",
                },
                r"r4\.py does not state the version as text",
            ),
            (
                project(more='[tool.semantic_release]\nbuild_command = "uv lock && uv build"\n'),
                "would not be run: uv lock && uv build",
            ),
            (
                project(more='[tool.semantic_release]\ntag_format = "{version}"\n'),
                r"counts from tags like \{version\}",
            ),
        ],
    )
    def test_what_cannot_be_stamped_is_refused_before_anything_is_built(
        self, quick: Ways, files: dict[str, str], reason: str
    ) -> None:
        quick.write(files, "feat: one", "v1.0.0")
        quick.write({"a": ""}, "feat: two")
        for kind, text in refusals(quick):
            assert kind is SettingsError
            assert re.search(reason, text), text

    def test_commands_that_need_no_version_work_with_a_dynamic_one(self, quick: Ways) -> None:
        quick.write(dynamic(""), "feat: one")
        assert documents.context_document(lambda _: None)["branch"] == "main"
        assert documents.tags_document(lambda _: None)["tags"][0] == "main"
        assert documents.local_build_document(lambda _: None, dry_run=True)["commands"]

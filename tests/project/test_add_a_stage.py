"""A stage is added by one file and one line: generic code knows no stage by its name."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipway.model.stage import Stage, State
from shipway.model.target import Target
from shipway.run.preview import preview, render_lines, render_plan
from shipway.run.reconcile import reconcile
from shipway.run.release import DECISION, stages_until
from shipway.run.result import Outcome, Result
from shipway.run.stage import preview_stage, run_stage, stages_for
from shipway.run.status import read_status, stage_statuses
from shipway.stages import PIPELINE, build, promote
from tests.support.model_remotes import Died, ModelRemotes
from tests.support.scene import Scene

SOURCE = Path(__file__).parents[2] / "src" / "shipway"
ADDED_FILE = '''
"""bless: the image of a release also gets the tag `blessed`."""

from __future__ import annotations

from dataclasses import replace

from shipway.model.actions import Ask, PlannedAction
from shipway.model.stage import Finding, Needs, Stage, State
from shipway.model.target import Target
from shipway.model.world import World, require_index
from shipway.tools.imagetools import create_index, inspect_reference, read_index

NAME = "bless"
TAG = "blessed"


def skip_reason(target: Target) -> str | None:
    """Only releases are blessed."""
    return None if target.release else f"a {target.channel} build is not blessed"


def observe(target: Target, world: World, ask: Ask) -> World:
    """Ask which image has the tag."""
    reference = f"{target.image}:{TAG}"
    index = read_index(ask(inspect_reference(reference)), reference)
    if index is None:
        return world
    return replace(world, tags={**world.tags, TAG: index.digest})


def judge(target: Target, world: World) -> Finding:
    """The tag has to be at the image."""
    if world.index is None or world.tags.get(TAG) != world.index.digest:
        return Finding(State.ABSENT, f"{TAG} is elsewhere")
    return Finding(State.SAME, f"{TAG} is at the image")


def plan(target: Target, world: World) -> tuple[PlannedAction, ...]:
    """Move it."""
    image = f"{target.image}@{require_index(world).digest}"
    return (create_index(NAME, f"move {TAG}", [f"{target.image}:{TAG}"], [image]),)


def simulate(target: Target, world: World) -> World:
    """The tag at the image."""
    return replace(world, tags={**world.tags, TAG: require_index(world).digest})


STAGE = Stage(
    name=NAME,
    skip_reason=skip_reason,
    observe=observe,
    judge=judge,
    plan=plan,
    simulate=simulate,
    needs=Needs.RELEASE,
    builds_on=(BUILDS_ON,),
)
'''.replace("BUILDS_ON", f'"{build.STAGE.name}"')


@pytest.fixture(name="added")
def fixture_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage of a file of its own, put into the list after `promote`; nothing else is changed."""
    file = tmp_path / "bless.py"
    file.write_text(ADDED_FILE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("bless", file)
    assert spec is not None and spec.loader is not None
    bless = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bless)
    added: Stage = bless.STAGE
    place = PIPELINE.index(promote.STAGE) + 1
    longer = (*PIPELINE[:place], added, *PIPELINE[place:])
    for name, module in list(sys.modules.items()):
        if name.startswith("shipway.") and getattr(module, "PIPELINE", None) is PIPELINE:
            monkeypatch.setattr(module, "PIPELINE", longer)
    assert stages_until("") == longer
    return added


def run(remotes: ModelRemotes, target: Target) -> dict[str, str]:
    """Run every stage once; gives the outcome by stage."""
    outcomes: list[Outcome] = []
    reconcile(stages_until(""), target, remotes.executor, record=outcomes.append)
    return {outcome.name: outcome.outcome for outcome in outcomes}


class TestAStageAdded:
    """One file, one line: all that deals with stages deals with it."""

    def test_the_loop_brings_it_about_once(self, target: Target, added: Stage) -> None:
        remotes = ModelRemotes()
        outcomes = run(remotes, target)
        assert outcomes[added.name] == "done"
        assert list(outcomes) == [stage.name for stage in stages_until("")]
        assert remotes.tags["blessed"] == remotes.tags["v1.2.3"]
        changes = remotes.changes
        assert set(run(remotes, target).values()) == {"skipped"} and remotes.changes == changes

    @pytest.mark.parametrize("lost", [True, False], ids=["before the change", "after the change"])
    def test_a_rerun_after_any_death_ends_in_the_undisturbed_state(
        self, target: Target, added: Stage, lost: bool
    ) -> None:
        undisturbed = ModelRemotes()
        run(undisturbed, target)
        for point in range(undisturbed.changes):
            remotes = ModelRemotes(die_at=point, lost=lost)
            with pytest.raises(Died):
                run(remotes, target)
            remotes.die_at = -1
            assert added.name in run(remotes, target)
            assert remotes.state() == undisturbed.state()

    @pytest.mark.usefixtures("added")
    def test_a_dry_run_prints_its_plan(self, target: Target) -> None:
        rows = preview(stages_until(""), target, ModelRemotes().executor)
        lines = render_lines(render_plan(target, rows)).splitlines()
        place = lines.index("# bless: absent, blessed is elsewhere")
        assert lines[place + 1] == (
            "docker buildx imagetools create --tag registry.example/acme/toy:blessed "
            'registry.example/acme/toy@"${INDEX}"'
        )

    def test_the_status_shows_it(self, target: Target, added: Stage) -> None:
        remotes = ModelRemotes()

        def read() -> dict[str, tuple[State, str]]:
            statuses = stage_statuses(stages_until(""), target, remotes.executor)
            return {status.name: (status.finding.state, status.advice) for status in statuses}

        assert read()[added.name] == (State.ABSENT, "shipway release")
        run(remotes, target)
        assert read()[added.name] == (State.SAME, "")

    def test_it_runs_on_its_own_after_what_it_builds_on(self, added: Stage) -> None:
        assert stages_for(added.name) == (build.STAGE, added)
        assert stages_until(added.name)[-1] is added

    @pytest.mark.process
    def test_a_whole_project_is_released_with_it(self, tmp_path: Path, added: Stage) -> None:
        scene = Scene(tmp_path)
        result = scene.release()
        names = [DECISION, *(stage.name for stage in stages_until(""))]
        assert [outcome.name for outcome in result.stages] == names
        statuses = {status.name: status.finding.state for status in read_status(scene.session())}
        assert list(statuses) == names and statuses[added.name] is State.SAME
        del scene.remotes.tags["blessed"]
        (row,) = preview_stage(scene.session(), added.name)
        assert (row.name, row.state, len(row.commands)) == (added.name, "absent", 1)
        alone = Result()
        run_stage(scene.session(), added.name, alone, lambda _outcome: None)
        assert [outcome.name for outcome in alone.stages] == [added.name]
        assert scene.remotes.tags["blessed"] == scene.remotes.tags["v0.1.0"]


STAGE_NAMES = frozenset(stage.name for stage in PIPELINE)
ALLOWED_IMPORTS = {
    ("run/documents.py", "build"): "a build for this machine alone is one command, and no stage",
    ("run/local_builds.py", "build"): "builds outside of the pipeline have that stage's builder",
    ("run/reproduce.py", "build"): "builds twice into folders: a command of that stage, no stage",
    ("run/rollback.py", "rollback"): "carries out the other list of stages, which this file plans",
    ("run/verify.py", "sign"): "asks for signatures of an image that has no target",
}
"""What generic code imports of a stage, and why: (file, module)."""
OTHER_MEANINGS = {
    ("model/actions.py", "inspect"): "a word of the command line `shipway inspect IMAGE`",
    ("model/actions.py", "publish"): "an effect",
    ("model/stage.py", "commit"): "what a checkout has to be",
    ("model/version.py", "build"): "a part of a version",
    ("run/native.py", "commit"): "a field of a digest file",
    ("run/stamping.py", "build"): "a folder with what was built, whose files are not the project's",
    ("run/read_back.py", "inspect"): "the task `inspect IMAGE`, which this file is",
    ("run/session.py", "sign"): "names the question for cosign's generation in its error",
    ("run/verify.py", "verify"): "the task `verify IMAGE`, which this file is",
}
"""Words of generic code that are also a stage's name, and what they mean there: (file, word)."""


def list_generic_files() -> list[Path]:
    """Give the files that deal with every stage alike; `tasks/pipeline` has a task for each."""
    files = [SOURCE / "tasks" / "output.py"]
    for folder in ("run", "effects", "model"):
        files += (SOURCE / folder).rglob("*.py")
    return files


def find_stage_names(source: str) -> Iterator[str]:
    """Give every text in a source that is nothing but names of stages, no sentences."""
    nodes = list(ast.walk(ast.parse(source)))
    sentences = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    parts = [id(part) for sentence in sentences for part in sentence.values]
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            words = node.value.split()
            if STAGE_NAMES.issuperset(words):
                yield from words


def find_stage_modules(source: str) -> Iterator[str]:
    """Give every module of `shipway.stages` that a source imports, or names in a text."""
    prefix = "shipway.stages."
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names += (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.append(node.value)
    for name in names:
        if name.startswith(prefix) and name != f"{prefix}PIPELINE":
            yield name.removeprefix(prefix).partition(".")[0]


@pytest.mark.parametrize(
    "line",
    [
        'if stage.name == "build": pass',
        'names = ("sign", "attest")',
        'names = "sign attest".split()',
        'def late(name="verify"): ...',
        'match name:\n    case "promote": ...',
    ],
)
def test_the_name_of_a_stage_is_found_in_every_spelling(line: str) -> None:
    assert list(find_stage_names(line))


@pytest.mark.parametrize(
    "line",
    [
        "from shipway.stages import build",
        "from shipway.stages import PIPELINE, sign as signing",
        "from shipway.stages.build import build_here",
        "import shipway.stages.build as stage",
        'import_module("shipway.stages.build")',
        "def late():\n    from shipway.stages import build",
    ],
)
def test_the_module_of_a_stage_is_found_in_every_spelling(line: str) -> None:
    assert list(find_stage_modules(line))


@pytest.mark.parametrize(
    "line",
    [
        "from shipway.stages import PIPELINE",
        'say("build the image")',
        'say(f"build {number}")',
        "build = stage.name",
        '""',
    ],
)
def test_other_lines_are_let_through(line: str) -> None:
    assert not [*find_stage_names(line), *find_stage_modules(line)]


def test_generic_code_knows_no_stage_by_its_name() -> None:
    words: set[tuple[str, str]] = set()
    modules: set[tuple[str, str]] = set()
    files = list_generic_files()
    for file in files:
        name = file.relative_to(SOURCE).as_posix()
        source = file.read_text(encoding="utf-8")
        words.update((name, word) for word in find_stage_names(source))
        modules.update((name, module) for module in find_stage_modules(source))
    assert len(files) > 40
    assert words == set(OTHER_MEANINGS), "say it by a field of Stage, which each stage fills in"
    assert modules == set(ALLOWED_IMPORTS), "say it by a field of Stage, which each stage fills in"

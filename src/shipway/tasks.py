"""The Invoke tasks: everything that acts. Each is a thin face of ``run/`` or ``rehearsal/``, imported when called."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task as invoke_task

from shipway.errors import ShipwayError
from shipway.printing import print_json, print_plan, say, show, tell

if TYPE_CHECKING:
    from shipway.run.pipeline import Result

P = ParamSpec("P")

HELP = {
    "dry_run": "print what would be done, ready for copy and paste, and do nothing",
    "json": "print one JSON document on standard output",
    "push": "build every platform and push under the staging tag; without it, load for this machine",
    "until": "stop after this stage",
    "keep": "leave the local remotes up for a look",
    "suite": "Debian release that the tools come from: trixie or sid",
    "purge": "delete what was downloaded and built, too",
}


def _task(function: Callable[P, None]) -> Any:  # Any: Invoke's Task is not typed as a callable
    """A task that ends the program with the error's documented exit status instead of a traceback."""
    @functools.wraps(function)
    def body(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except ShipwayError as error:
            if kwargs.get("json"):
                print_json(error.document | {
                    "error": {"status": error.status, "message": error.message, "hint": error.hint}})
            raise Exit(f"shipway: {error}", code=error.status) from error
        except KeyboardInterrupt:
            raise Exit("shipway: interrupted", code=130) from None

    names = function.__code__.co_varnames[1:function.__code__.co_argcount]
    return invoke_task(body, name=function.__name__.rstrip("_"), help={name: HELP[name] for name in names},
                       auto_shortflags=False)


@_task
def context(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Show what is being built: branch, commit, pull request, image."""
    del dry_run  # it only computes
    from shipway.run import answers

    show(answers.context(say), json)


@_task
def tags(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Show the image tags of the present commit, in order of priority."""
    del dry_run  # it only computes
    from shipway.run import answers

    show(answers.tags(say), json)


@_task
def version(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Show the last version and the next one, as python-semantic-release decides."""
    del dry_run  # it only computes
    from shipway.run import answers

    show(answers.version(say), json)


@_task
def schema(_: Context) -> None:
    """Print the JSON schema of [tool.shipway]."""
    from shipway.config import schema as render

    print_json(render())


@_task
def build(_: Context, push: bool = False, dry_run: bool = False, json: bool = False) -> None:
    """Build the image; with --push for every platform, with SBOM and provenance, under the staging tag."""
    if push:
        _stage("build", dry_run, json)
        return
    from shipway.run import answers

    show(answers.build(say, dry_run=dry_run), json)


@_task
def inspect(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Read the pushed image back: compiled files, attestations, labels."""
    _stage("inspect", dry_run, json)


@_task
def sign(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Sign every entry of the pushed image that lacks a signature, the index last."""
    _stage("sign", dry_run, json)


@_task
def verify(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Verify the pushed image as a consumer would: signatures, platforms, attestations, labels."""
    _stage("verify", dry_run, json)


@_task
def promote(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Move the public tags to the verified digest."""
    _stage("promote", dry_run, json)


@_task
def publish(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Publish the GitHub release of the present commit."""
    _stage("publish", dry_run, json)


@_task
def document(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Publish the docs of the present commit's release."""
    _stage("document", dry_run, json)


def _stage(name: str, dry_run: bool, as_json: bool) -> None:
    from shipway.run import pipeline
    from shipway.run.workbench import set_up

    bench = set_up(say)
    if dry_run:
        print_plan(pipeline.foresee_stage(bench, name), as_json)
        return
    _run(lambda result: pipeline.run_stage(bench, name, result, tell), as_json)


def _run(run: Callable[[Result], None], as_json: bool) -> None:
    """Run, and report what was reached even when the run fails."""
    from shipway.run.answers import result_document
    from shipway.run.pipeline import Result

    result = Result()
    try:
        run(result)
    except ShipwayError as error:
        error.document = result_document(result)
        raise
    found = result_document(result)
    if as_json:
        print_json(found)
    elif found["digest"]:
        print(f"{found['image']}@{found['digest']}")


@_task
def release(_: Context, until: str = "", dry_run: bool = False, json: bool = False) -> None:
    """Take the present commit to a signed, verified, documented release, doing only what is missing."""
    from shipway.run import pipeline
    from shipway.run.answers import write_outputs
    from shipway.run.workbench import set_up

    bench = set_up(say)
    if dry_run:
        print_plan(pipeline.foresee_release(bench, until=until), json)
        return

    def run(result: Result) -> None:
        try:
            pipeline.release(bench, result, tell, until=until)
        finally:
            write_outputs(bench.environment, result)

    _run(run, json)


@_task
def status(_: Context, json: bool = False) -> None:
    """Show what the remotes have of the present commit, stage by stage, and change nothing."""
    from shipway.run import answers

    rows = answers.status(say)
    if json:
        print_json({"stages": rows})
        return
    for row in rows:
        print(f"{row['name']:9} {row['state']:8} {row['evidence']}")


@_task
def rehearse(_: Context, keep: bool = False, dry_run: bool = False, json: bool = False) -> None:
    """Run the whole pipeline twice against local stand-ins of the remotes, with real tools."""
    from shipway.rehearsal import rehearse as play

    play.main(say, tell, keep=keep, dry_run=dry_run, as_json=json)


@_task
def engine(_: Context, suite: str = "trixie", dry_run: bool = False, json: bool = False) -> None:
    """Make sure that Docker with buildx and cosign are there; on Debian, set them up in a folder of their own."""
    from shipway.rehearsal import setting

    show(setting.start(say, suite=suite, dry_run=dry_run), json)


@_task
def stop(_: Context, purge: bool = False, dry_run: bool = False, json: bool = False) -> None:
    """End what `engine` started, and nothing else."""
    from shipway.rehearsal import setting

    show(setting.stop(say, purge=purge, dry_run=dry_run), json)


_engine = Collection("engine")
_engine.add_task(engine, name="start", default=True)
_engine.add_task(stop)

namespace = Collection(build, inspect, sign, verify, promote, publish, document, tags, version, context, status,
                       release, rehearse, schema, _engine)

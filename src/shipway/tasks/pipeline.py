"""These tasks run the pipeline: each stage, the whole release, and its withdrawal."""

from __future__ import annotations

# Every option of a task is an argument.
# pylint: disable=too-many-arguments,too-many-positional-arguments,too-many-locals
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from shipway.errors import ShipwayError
from shipway.tasks.options import task
from shipway.tasks.output import (
    emit,
    print_json,
    print_plan,
    progress,
    report_outcome,
    show,
    show_rest,
)

if TYPE_CHECKING:
    from shipway.model.target import Target
    from shipway.run.result import Result
    from shipway.run.session import Session


@task
def build(
    _: Context,
    push: bool = False,
    platform: str = "",
    digest_file: str = "",
    due: bool = False,
    check_reproducible: bool = False,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Build the image; with --push for every platform, with SBOM, provenance and staging tag."""
    if check_reproducible:
        from shipway.run import reproduce

        document = reproduce.check_reproducible(
            progress,
            platform=platform,
            dry_run=dry_run,
        )
        show(document, json)
    elif push:
        _build_and_push(platform, digest_file, due, dry_run, json)
    else:
        from shipway.run.documents import local_build_document

        document = local_build_document(progress, dry_run=dry_run)
        show(document, json)


def _build_and_push(
    platform: str, digest_file: str, due: bool, dry_run: bool, as_json: bool
) -> None:
    from shipway.run.native import select_platforms, write_digest_file
    from shipway.run.session import open_session

    session = open_session(progress)

    def adapt(target: Target) -> Target:
        return select_platforms(session, target, platform)

    result = _run_stage("build", dry_run, as_json, session, adapt, due)
    if digest_file and result and result.target:
        write_digest_file(Path(digest_file), result.target, result.digest)


@task
def merge(
    _: Context,
    digest_file: Sequence[str] | None = None,
    due: bool = False,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Put images that were built for one platform each under one index, by their digest files."""
    from shipway.run.native import merge_digest_files
    from shipway.run.session import open_session

    def adapt(target: Target) -> Target:
        return merge_digest_files(target, digest_file or ())

    _run_stage("build", dry_run, json, open_session(progress), adapt, due)


@task
def inspect(
    _: Context, image: str = "", predicate: str = "", dry_run: bool = False, json: bool = False
) -> None:
    """Read the pushed image back: compiled files, attestations, labels; or print what IMAGE has."""
    if not image and not predicate:
        _run_stage("inspect", dry_run, json)
        return
    from shipway.run.read_back import read_back, read_predicate

    if predicate:
        print_json(read_predicate(image, predicate))
        return
    with show_rest(json):
        document = read_back(image)
        print_json(document)


@task
def sign(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Sign every entry of the pushed image that lacks a signature, the index last."""
    _run_stage("sign", dry_run, json)


@task
def attest(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Sign SBOM and provenance of each platform as attestations, where the settings ask for it."""
    _run_stage("attest", dry_run, json)


@task
def verify(
    _: Context,
    image: str = "",
    identity: str = "",
    issuer: str = "",
    key: str = "",
    repository: str = "",
    ref: str = "",
    commit: str = "",
    trigger: str = "",
    trusted_root: str = "",
    no_transparency_log: bool = False,
    policy: str = "",
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Verify an image as a consumer would, without a checkout; by default the present commit's."""
    if not image:
        _run_stage("verify", dry_run, json)
        return
    from shipway.run.verify import explain_refusal, read_limits, verify_image
    from shipway.target.from_image import Expectation

    expectation = Expectation(
        identity=identity,
        issuer=issuer,
        key=key,
        repository=repository,
        ref=ref,
        commit=commit,
        trigger=trigger,
        trusted_root=trusted_root,
        transparency_log=not no_transparency_log,
        limits=read_limits(policy),
    )
    verdict = verify_image(image, expectation)
    if not json:
        emit(verdict.render())
    if verdict.faults:
        raise explain_refusal(verdict)
    if json:
        print_json(verdict.document())


@task
def promote(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Move the public tags to the verified digest."""
    _run_stage("promote", dry_run, json)


@task
def publish(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Publish the GitHub release of the present commit."""
    _run_stage("publish", dry_run, json)


@task
def document(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Publish the docs of the present commit's release."""
    _run_stage("document", dry_run, json)


def _run_stage(
    name: str,
    dry_run: bool,
    as_json: bool,
    session: Session | None = None,
    adapt: Callable[[Target], Target] = lambda target: target,
    due: bool = False,
) -> Result | None:
    from shipway.run.session import open_session
    from shipway.run.stage import preview_stage, run_stage

    session = session or open_session(progress)
    if dry_run:
        rows = preview_stage(session, name, adapt=adapt, due=due)
        print_plan(rows, as_json)
        return None

    def run(result: Result) -> None:
        run_stage(session, name, result, report_outcome, adapt=adapt, due=due)

    return _report(run, as_json)


def _report(run: Callable[[Result], None], as_json: bool) -> Result:
    """Run, and report what was reached even when the run fails."""
    from shipway.run.documents import result_document
    from shipway.run.result import Result

    result = Result()
    try:
        run(result)
    except ShipwayError as error:
        error.document = result_document(result)
        raise
    if as_json:
        print_json(result_document(result))
    elif result.target and result.digest:
        emit(f"{result.target.image}@{result.digest}")
    return result


@task
def release(
    _: Context,
    until: str = "",
    as_: str = "",
    because: str = "",
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Take the present commit to a signed, verified, documented release; do what is missing."""
    from shipway.run.documents import write_outputs
    from shipway.run.release import preview_release, run_release
    from shipway.run.session import open_session
    from shipway.target.releases import read_override

    override = read_override(as_, because)
    session = open_session(progress, override=override)
    if dry_run:
        rows = preview_release(session, until=until)
        print_plan(rows, json)
        return

    def run(result: Result) -> None:
        try:
            run_release(session, result, report_outcome, until=until)
        finally:
            write_outputs(session.environment, result)

    _report(run, json)


@task
def rollback(_: Context, version: str, dry_run: bool = False, json: bool = False) -> None:
    """Withdraw a release: what people follow goes back to the one before; nothing is deleted."""
    from shipway.run.rollback import preview_rollback, roll_back
    from shipway.run.session import open_session

    session = open_session(progress)
    if dry_run:
        rows = preview_rollback(session, version)
        print_plan(rows, json)
        return

    def run(result: Result) -> None:
        roll_back(session, version, result, report_outcome)

    _report(run, json)

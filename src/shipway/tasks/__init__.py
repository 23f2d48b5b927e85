"""The Invoke tasks: everything that acts. Each is a thin face of ``run/`` or ``rehearsal/``, imported when called."""

from __future__ import annotations

# Every option of a task is an argument.
# pylint: disable=too-many-arguments,too-many-positional-arguments
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.collection import Collection
from invoke.context import Context

from shipway.errors import ShipwayError
from shipway.tasks import engine, images
from shipway.tasks.options import task
from shipway.tasks.output import print_json, print_plan, progress, report_outcome, show, show_status

if TYPE_CHECKING:
    from shipway.model.target import Target
    from shipway.run.release import Result
    from shipway.run.session import Session


@task
def context(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Show what is being built: branch, commit, pull request, image."""
    del dry_run  # it only computes
    from shipway.run import documents

    show(documents.context(progress), json)


@task
def tags(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Show the image tags of the present commit, in order of priority."""
    del dry_run  # it only computes
    from shipway.run import documents

    show(documents.tags(progress), json)


@task
def version(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Show the last version and the next one, as python-semantic-release decides."""
    del dry_run  # it only computes
    from shipway.run import documents

    show(documents.version(progress), json)


@task
def schema(_: Context) -> None:
    """Print the JSON schema of [tool.shipway]."""
    from shipway.settings.schema import render_schema

    print_json(render_schema())


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
    """Build the image; with --push for every platform, with SBOM and provenance, under the staging tag."""
    if check_reproducible:
        from shipway.run import reproduce

        show(reproduce.check(progress, platform=platform, dry_run=dry_run), json)
        return
    if push:
        from shipway.run.native import apart, write_digest_file
        from shipway.run.session import open_session

        session = open_session(progress)
        result = _stage(
            "build", dry_run, json, session, lambda target: apart(session, target, platform), due
        )
        if digest_file and result and result.target:
            write_digest_file(Path(digest_file), result.target, result.digest)
        return
    from shipway.run import documents

    show(documents.build(progress, dry_run=dry_run), json)


@task
def merge(
    _: Context,
    digest_file: Sequence[str] | None = None,
    due: bool = False,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Put images that were built for one platform each under one index, by their digest files."""
    from shipway.run.native import merged
    from shipway.run.session import open_session

    _stage(
        "build",
        dry_run,
        json,
        open_session(progress),
        lambda target: merged(target, digest_file or ()),
        due,
    )


@task
def inspect(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Read the pushed image back: compiled files, attestations, labels."""
    _stage("inspect", dry_run, json)


@task
def sign(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Sign every entry of the pushed image that lacks a signature, the index last."""
    _stage("sign", dry_run, json)


@task
def attest(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Sign SBOM and provenance of each platform as attestations, where the settings ask for it."""
    _stage("attest", dry_run, json)


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
    """Verify an image as a consumer would, without a checkout; without IMAGE, the present commit's own."""
    if not image:
        _stage("verify", dry_run, json)
        return
    from shipway.target.from_image import Expectation

    images.verify(
        image,
        policy,
        json,
        Expectation(
            identity=identity,
            issuer=issuer,
            key=key,
            repository=repository,
            ref=ref,
            commit=commit,
            trigger=trigger,
            trusted_root=trusted_root,
            transparency_log=not no_transparency_log,
        ),
    )


@task
def promote(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Move the public tags to the verified digest."""
    _stage("promote", dry_run, json)


@task
def publish(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Publish the GitHub release of the present commit."""
    _stage("publish", dry_run, json)


@task
def document(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Publish the docs of the present commit's release."""
    _stage("document", dry_run, json)


def _stage(
    name: str,
    dry_run: bool,
    as_json: bool,
    session: Session | None = None,
    adapt: Callable[[Target], Target] = lambda target: target,
    due: bool = False,
) -> Result | None:
    from shipway.run import release as pipeline
    from shipway.run.session import open_session

    session = session or open_session(progress)
    if dry_run:
        print_plan(pipeline.preview_stage(session, name, adapt=adapt, due=due), as_json)
        return None
    return _run(
        lambda result: pipeline.run_stage(
            session, name, result, report_outcome, adapt=adapt, due=due
        ),
        as_json,
    )


def _run(run: Callable[[Result], None], as_json: bool) -> Result:
    """Run, and report what was reached even when the run fails."""
    from shipway.run.documents import result_document
    from shipway.run.release import Result

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
    """Take the present commit to a signed, verified, documented release, doing only what is missing."""
    from shipway.run import release as pipeline
    from shipway.run.documents import write_outputs
    from shipway.run.session import open_session
    from shipway.target.releases import read_override

    override, session = read_override(as_, because), open_session(progress)
    session = session.overridden(override) if override.level else session
    if dry_run:
        print_plan(pipeline.preview_release(session, until=until), json)
        return

    def run(result: Result) -> None:
        try:
            pipeline.release(session, result, report_outcome, until=until)
        finally:
            write_outputs(session.environment, result)

    _run(run, json)


@task
def rollback(_: Context, version: str, dry_run: bool = False, json: bool = False) -> None:
    """Withdraw a release: what people follow goes back to the one before; nothing is deleted."""
    from shipway.run import rollback as rolling_back
    from shipway.run.session import open_session

    session = open_session(progress)
    if dry_run:
        print_plan(rolling_back.preview_rollback(session, version), json)
        return
    _run(lambda result: rolling_back.roll_back(session, version, result, report_outcome), json)


@task
def prune(_: Context, delete: bool = False, dry_run: bool = False, json: bool = False) -> None:
    """Show the images of branches and pull requests that nobody needs any more; with --delete, delete them."""
    from shipway.run import prune as pruning

    found = pruning.prune(progress, delete=delete and not dry_run)
    if json:
        print_json(found)
        return
    for one in found["images"]:
        print(f"{one['digest']} {' '.join(one['tags'])}: {one['reason']}")
    print(
        f"{len(found['images'])} manifests of {found['image']} {'were deleted' if found['deleted'] else 'may go'}"
    )


@task
def status(_: Context, json: bool = False) -> None:
    """Show what the remotes have of the present commit, stage by stage, and change nothing."""
    from shipway.run import documents

    show_status(documents.status(progress), json)


@task
def doctor(_: Context, release: bool = False, json: bool = False) -> None:
    """Say whether everything is there that the tasks need; with --release, whether a release would get through."""
    from shipway.run.doctor import examine

    found = examine(progress, release=release)
    if json:
        print_json(found)


@task
def rehearse(_: Context, keep: bool = False, dry_run: bool = False, json: bool = False) -> None:
    """Run the whole pipeline twice against local stand-ins of the remotes, with real tools."""
    from shipway.rehearsal import rehearse as rehearsing
    from shipway.tasks.rehearsal import show_rehearsal, show_rehearsal_plan

    if dry_run:
        show_rehearsal_plan(rehearsing.preview_rehearsal(progress, keep=keep), json)
        return
    rehearsing.run_rehearsal(
        progress,
        report_outcome,
        lambda rehearsal: show_rehearsal(rehearsal, keep=keep, as_json=json),
        keep=keep,
    )


namespace = Collection(
    build,
    merge,
    inspect,
    sign,
    attest,
    verify,
    images.sbom,
    images.licenses,
    images.scan,
    promote,
    publish,
    document,
    rollback,
    tags,
    version,
    context,
    status,
    release,
    rehearse,
    prune,
    doctor,
    schema,
    engine.collection,
)

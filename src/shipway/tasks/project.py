"""These tasks look at a project and what became of it."""

from __future__ import annotations

from invoke.context import Context

from shipway.tasks.options import task
from shipway.tasks.output import (
    print_json,
    progress,
    report_outcome,
    show,
    show_either,
    show_status,
)


@task
def context(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Show what is being built: branch, commit, pull request, image."""
    del dry_run  # it only computes
    from shipway.run.documents import context_document

    show(context_document(progress), json)


@task
def tags(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Show the image tags of the present commit, in order of priority."""
    del dry_run  # it only computes
    from shipway.run.documents import tags_document

    show(tags_document(progress), json)


@task
def version(_: Context, dry_run: bool = False, json: bool = False) -> None:
    """Show the last version and the next one, as python-semantic-release decides."""
    del dry_run  # it only computes
    from shipway.run.documents import version_document

    show(version_document(progress), json)


@task
def notes(_: Context, version: str = "", dry_run: bool = False, json: bool = False) -> None:
    """Print what the release tells that is due; with --version, what a past one tells."""
    del dry_run  # it only computes
    from shipway.run.notes import notes_document

    document = notes_document(progress, version)
    text = document["notes"]
    if json or text:
        show_either(str(text), document, json)


@task
def schema(_: Context) -> None:
    """Print the JSON schema of [tool.shipway]."""
    from shipway.settings.schema import render_schema

    print_json(render_schema())


@task
def status(_: Context, json: bool = False) -> None:
    """Show what the remotes have of the present commit, stage by stage, and change nothing."""
    from shipway.run.documents import status_rows

    show_status(status_rows(progress), json)


@task
def prune(_: Context, delete: bool = False, dry_run: bool = False, json: bool = False) -> None:
    """Show the images of branches and pull requests that may go; with --delete, delete them."""
    from shipway.run.prune import prune_images, render_document

    is_real = delete and not dry_run
    document = prune_images(progress, delete=is_real)
    lines = render_document(document)
    show_either("\n".join(lines), document, json)


@task
def doctor(_: Context, release: bool = False, json: bool = False) -> None:
    """Say whether everything is there that the tasks need; with --release, that a release needs."""
    from shipway.run.doctor import examine

    document = examine(progress, release=release)
    if json:
        print_json(document)


@task
def rehearse(
    _: Context,
    keep: bool = False,
    working_tree: bool = False,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Run the whole pipeline twice against local stand-ins of the remotes, with real tools."""
    from shipway.rehearsal.rehearse import (
        Rehearsal,
        preview_rehearsal,
        rehearsal_document,
        run_rehearsal,
    )
    from shipway.tasks.rehearsal import show_rehearsal, show_rehearsal_plan

    if dry_run:
        rows = preview_rehearsal(
            progress,
            keep=keep,
            working_tree=working_tree,
        )
        show_rehearsal_plan(rows, json)
        return

    def present(rehearsal: Rehearsal) -> None:
        if not json:
            show_rehearsal(rehearsal, keep=keep)

    rehearsal = run_rehearsal(
        progress,
        report_outcome,
        present,
        keep=keep,
        working_tree=working_tree,
    )
    if json:
        document = rehearsal_document(rehearsal, keep=keep)
        print_json(document)

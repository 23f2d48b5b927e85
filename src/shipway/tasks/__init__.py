"""People call these tasks: each is a thin face of ``run/`` or ``rehearsal/``.

A file holds a family of tasks. What a task does is imported when it is called, so that ``--list``
is quick; nothing is decided here.
"""

from __future__ import annotations

from invoke.collection import Collection

from shipway.tasks import engine, images, pipeline, project

namespace = Collection(
    pipeline.build,
    pipeline.merge,
    pipeline.inspect,
    pipeline.sign,
    pipeline.attest,
    pipeline.verify,
    images.sbom,
    images.licenses,
    images.scan,
    pipeline.promote,
    pipeline.publish,
    pipeline.document,
    pipeline.rollback,
    project.tags,
    project.version,
    project.notes,
    project.context,
    project.status,
    pipeline.release,
    project.rehearse,
    project.prune,
    project.doctor,
    project.schema,
    engine.collection,
)
"""Holds all tasks, for ``tasks.py`` of a project and for the ``shipway`` program."""

"""This package lists the pipeline, one file a stage, in order: the table of contents of shipway.

All of it is pure.

Which version is due is decided before the first stage (``run/release``). Each stage then compares
the target with what the remotes show, and plans what is missing; nothing is carried out here. To
add a stage, write one file beside these and name it in ``PIPELINE``.
"""

from __future__ import annotations

from shipway.model.stage import Stage, try_first
from shipway.stages import (
    attest,
    build,
    commit,
    document,
    inspect,
    promote,
    publish,
    sign,
    verify,
)

PIPELINE: tuple[Stage, ...] = try_first(
    build.STAGE,
    inspect.STAGE,
    sign.STAGE,
    attest.STAGE,
    verify.STAGE,
    commit.STAGE,
    promote.STAGE,
    publish.STAGE,
    document.STAGE,
)

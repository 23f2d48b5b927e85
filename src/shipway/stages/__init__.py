"""The pipeline, in its order: the table of contents of shipway.

``version`` decides what the target is; each stage after it compares the target with what the remotes show, and plans
what is missing. To add a stage, write one file beside these and name it here.
"""

from __future__ import annotations

from shipway.model.stage import Stage
from shipway.stages import attest, build, commit, document, inspect, promote, publish, sign, verify

DECISION = "version"
"""What comes before the stages: the decision which version is due. It is the name of a row in reports."""

PIPELINE: tuple[Stage, ...] = (
    build,
    inspect,
    sign,
    attest,
    verify,
    commit,
    promote,
    publish,
    document,
)
"""The stages that bring a target about."""

ORDER: tuple[str, ...] = (DECISION, *(stage.NAME for stage in PIPELINE))
"""The names of all stages, as reports show them."""

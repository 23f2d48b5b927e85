"""The pipeline, in its order: the table of contents of shipway.

``version`` decides what the target is; each stage after it compares the target with what the remotes show, and plans
what is missing. To add a stage, write one file beside these and name it here.
"""

from __future__ import annotations

from shipway.model import Stage
from shipway.stages import attest, build, commit, document, inspect, promote, publish, sign, verify, version

PIPELINE: tuple[Stage, ...] = (build, inspect, sign, attest, verify, commit, promote, publish, document)
"""The stages that bring a target about."""

ORDER: tuple[str, ...] = (version.NAME, *(stage.NAME for stage in PIPELINE))
"""The names of all stages, as reports show them."""

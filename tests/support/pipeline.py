"""The whole pipeline, over remotes in memory."""

from __future__ import annotations

from shipway.model.target import Target
from shipway.run.reconcile import reconcile
from shipway.run.result import Outcome
from shipway.stages import PIPELINE
from tests.support.model_remotes import ModelRemotes


def run_pipeline(remotes: ModelRemotes, target: Target) -> list[Outcome]:
    """Run every stage once; gives the outcome of each."""
    outcomes: list[Outcome] = []
    reconcile(PIPELINE, target, remotes.executor, record=outcomes.append)
    return outcomes

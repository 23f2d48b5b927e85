"""Answers the questions that shipway asks itself, in this process.

What answers sees public variables only, and of the secrets those that the question names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from shipway.effects.bundles import read_bundle_types
from shipway.effects.completeness import find_broken_parts
from shipway.effects.git_settings import read_settings
from shipway.effects.history import decide
from shipway.effects.packages import compare_packages
from shipway.effects.read_image import describe_image
from shipway.effects.secrets import hidden_values, redact, split
from shipway.effects.statements import read_predicate
from shipway.errors import ShipwayError, StepFailed
from shipway.model.actions import (
    ComparePackages,
    FindBroken,
    NextVersion,
    Question,
    ReadBundles,
    ReadImage,
    ReadPredicate,
    ReadSettings,
    Reply,
)


class Answerer:
    """Answers questions with the variables of ``environment``, and no variable of this process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._public, self._secrets = split(environment)
        self._hidden = hidden_values(environment)

    def __call__(self, question: Question[Reply]) -> Reply:
        """Answer the question; raises ``StepFailed`` where it cannot be answered."""
        visible = dict(self._public)
        for name in question.secrets:
            if name in self._secrets:
                visible[name] = self._secrets[name]
        try:
            # The class of a question says of which type its answer is.
            return cast(Reply, _answer(question, visible))
        except ShipwayError as error:
            error.message = redact(error.message, self._hidden)
            error.hint = redact(error.hint, self._hidden)
            raise


def _answer(question: Question[object], environment: Mapping[str, str]) -> object:
    match question:
        case ReadSettings(folder=folder):
            return read_settings(Path(folder), environment)
        case NextVersion(folder=folder, config=config, level=level):
            return decide(
                Path(folder),
                Path(config),
                level or None,
                environment=environment,
            )
    return _answer_about_image(question, environment)


def _answer_about_image(question: Question[object], environment: Mapping[str, str]) -> object:
    """Answer what a registry knows."""
    match question:
        case ReadImage(image=image, digest=digest):
            return describe_image(image, digest, environment)
        case FindBroken(image=image, digest=digest):
            return find_broken_parts(image, digest, environment)
        case ReadBundles(image=image, digests=digests):
            return read_bundle_types(image, digests, environment)
        case ReadPredicate(image=image, digest=digest, predicate_type=predicate_type):
            return read_predicate(
                image,
                digest,
                predicate_type,
                environment,
            )
        case ComparePackages(image=image, previous=previous):
            return compare_packages(image, previous, environment)
    raise StepFailed(
        f"{question.name}: nobody answers a question of the kind {type(question).__name__}",
        hint="report it: this is a fault of shipway",
    )

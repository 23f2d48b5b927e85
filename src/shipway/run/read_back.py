"""`inspect IMAGE` reads back from its registry what an image holds, as a JSON document."""

from __future__ import annotations

import json
import os
from typing import Any, cast

import msgspec

from shipway.effects.broken_parts import explain_broken
from shipway.effects.environment import equip
from shipway.effects.questions import Answerer
from shipway.errors import ContextError
from shipway.image.reference import parse_reference
from shipway.model.actions import ReadImage, ReadPredicate
from shipway.run.verify import require_index_of

Document = dict[str, Any]
"""Holds a JSON document; Any, since it is only printed."""


def read_back(image: str) -> Document:
    """Read an image's labels, compiled files, distributions and statements, by platform.

    Raises ``VerificationFailed`` with the document where a part of it is broken.
    """
    environment = equip(os.environ)
    reference = parse_reference(image)
    index = require_index_of(reference, environment)
    question = ReadImage(
        name="inspect",
        why=f"read {image}",
        image=reference.name,
        digest=index.digest,
    )
    answers = Answerer(environment)
    contents = answers(question)
    document = cast(Document, msgspec.to_builtins(contents))
    if contents.broken:
        error = explain_broken(image, contents.broken)
        error.document = document
        raise error
    return document


def read_predicate(image: str, predicate_type: str) -> object:
    """Read the predicate of one type that the attestation manifest ``name@digest`` holds."""
    reference = parse_reference(image)
    if not reference.digest:
        raise ContextError(
            f"{image} names no attestation manifest",
            hint="name it by its digest: `shipway inspect NAME@sha256:… --predicate TYPE`",
        )
    question = ReadPredicate(
        name="inspect",
        why=f"read a predicate of {image}",
        image=reference.name,
        digest=reference.digest,
        predicate_type=predicate_type,
    )
    answers = Answerer(equip(os.environ))
    predicate = answers(question)
    return json.loads(predicate)

"""This module plans what a person who only has an image's name expects of it. Pure.

That is its identity, its labels and its builder. By convention `ghcr.io/owner/name` is built and
signed by the release workflow of `github.com/owner/name`; everything can be set exactly instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from shipway.errors import ContextError
from shipway.image.labels import REVISION, SOURCE, TITLE, VERSION, WORKFLOW_COMMIT
from shipway.image.policies import Expected
from shipway.image.reference import Reference
from shipway.image.repository import GITHUB, parse_remote
from shipway.model.target import Signer
from shipway.model.version import PLUS, parse_version
from shipway.settings import GITHUB_ISSUER
from shipway.settings.policy_file import Limits
from shipway.settings.tables import Plus

WORKFLOW, REF = ".github/workflows/release.yml", "refs/heads/main"
_GITHUB_IMAGE = re.compile(r"ghcr\.io/(?P<repository>[^/]+/[^/]+)(/.*)?")
_VERSION_TAG = re.compile(r"v(\d+\.\d+\.\d+.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Holds what a person says of the image; what is empty is derived."""

    identity: str = ""
    issuer: str = ""
    key: str = ""
    repository: str = ""
    ref: str = ""
    commit: str = ""
    trigger: str = ""
    trusted_root: str = ""
    transparency_log: bool = True
    limits: Limits = field(default_factory=Limits)


def plan_repository(
    reference: Reference, expectation: Expectation, annotations: Mapping[str, str]
) -> str:
    """Give ``owner/name`` on GitHub, empty when nothing tells it.

    An image's name is in lower case. The image may say how its repository writes itself, and no
    more than that.
    """
    if expectation.repository:
        return expectation.repository
    match = _GITHUB_IMAGE.fullmatch(reference.name)
    if match is None:
        return ""
    repository = match["repository"]
    source = parse_remote(annotations.get(SOURCE, ""))
    if source and source[1].lower() == repository:
        return source[1]
    return repository


def plan_expected_signer(
    reference: Reference, expectation: Expectation, annotations: Mapping[str, str]
) -> Signer:
    """Give the key, or the exact identity; raises ``ContextError`` where nothing tells it."""
    if expectation.key:
        return Signer(
            key=expectation.key,
            public_key=expectation.key,
            transparency_log=expectation.transparency_log,
            trusted_root=expectation.trusted_root,
        )
    repository = plan_repository(reference, expectation, annotations)
    issuer = expectation.issuer or GITHUB_ISSUER
    is_workflow = issuer == GITHUB_ISSUER
    if not repository and (is_workflow or not expectation.identity):
        raise ContextError(
            f"nothing tells whose signature {reference.name} has to carry",
            hint="give `--repository OWNER/NAME` or `--key FILE`; for an identity that is no "
            "workflow's `--identity` with its `--issuer`",
        )
    ref = expectation.ref or REF
    workflow = f"{repository}/{WORKFLOW}@{ref}"
    commit = expectation.commit
    if is_workflow and not commit:
        revision = annotations.get(REVISION, "")
        commit = annotations.get(WORKFLOW_COMMIT) or revision
    return Signer(
        identity=expectation.identity or f"{GITHUB}/{workflow}",
        issuer=issuer,
        repository=repository if is_workflow else expectation.repository,
        ref=ref if is_workflow else expectation.ref,
        commit=commit,
        trigger=expectation.trigger,
        transparency_log=expectation.transparency_log,
        trusted_root=expectation.trusted_root,
    )


def _read_number(tag: str, annotations: Mapping[str, str]) -> str:
    """Read the version that an image's tag names, empty where it names none.

    A project may write another character in place of a ``+`` than shipway does. Then the tag may be
    of the version that the image names, and of no other.
    """
    match = _VERSION_TAG.fullmatch(tag)
    if match is None:
        return ""
    named = parse_version(annotations.get(VERSION, ""))
    if named:
        tags = [named.image_tag(plus) for plus in get_args(Plus)]
        if tag in tags:
            return str(named)
    return match[1].replace(PLUS, "+")


def plan_expected(
    reference: Reference, expectation: Expectation, annotations: Mapping[str, str], now: int
) -> Expected:
    """Plan what has to hold; ``now`` is in seconds since 1970."""
    limits = expectation.limits
    repository = plan_repository(reference, expectation, annotations)
    labels: dict[str, str] = {}
    number = _read_number(reference.tag, annotations)
    if number:
        labels[VERSION] = number
    source = ""
    builders = limits.builders
    if repository:
        source = f"{GITHUB}/{repository}"
        labels[SOURCE] = source
        if not builders and not expectation.key:
            builders = (f"{source}/actions/runs/",)
    return Expected(
        platforms=limits.platforms,
        labels=labels,
        named=(REVISION, VERSION, SOURCE),
        distribution=annotations.get(TITLE, ""),
        version=number,
        source=source,
        builders=builders,
        licenses=limits.licenses,
        maximum_age=limits.maximum_age,
        now=now,
    )

"""What somebody who only has an image's name expects of it: identity, labels, builder. Pure.

By convention `ghcr.io/owner/name` is built and signed by the release workflow of `github.com/owner/name`; everything
can be given exactly instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shipway.errors import ContextError
from shipway.image.labels import REVISION, SOURCE, VERSION, WORKFLOW_COMMIT
from shipway.image.policies import Expected
from shipway.image.reference import Reference
from shipway.image.repository import GITHUB, parse_remote
from shipway.model.target import Signing, Target
from shipway.settings import GITHUB_ISSUER
from shipway.settings.policy_file import Limits

WORKFLOW, REF = ".github/workflows/release.yml", "refs/heads/main"
_GITHUB_IMAGE = re.compile(r"ghcr\.io/(?P<repository>[^/]+/[^/]+)(/.*)?")
_VERSION = re.compile(r"v(\d+\.\d+\.\d+.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What was given by hand; what is empty is derived."""

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
    reference: Reference, wanted: Expectation, annotations: Mapping[str, str]
) -> str:
    """``owner/name`` on GitHub, empty when nothing tells it.

    An image's name is in lower case. The image may say how its repository writes itself, and no more than that.
    """
    if wanted.repository:
        return wanted.repository
    found = _GITHUB_IMAGE.fullmatch(reference.name)
    if found is None:
        return ""
    _, told = parse_remote(annotations.get(SOURCE, "")) or ("", "")
    return told if told.lower() == found["repository"] else found["repository"]


def plan_signing(
    reference: Reference, wanted: Expectation, annotations: Mapping[str, str]
) -> Signing:
    """The key, or the exact identity; raises ``ContextError`` where nothing tells it."""
    if wanted.key:
        return Signing(
            key=wanted.key, public_key=wanted.key, transparency_log=wanted.transparency_log
        )
    repository = plan_repository(reference, wanted, annotations)
    issuer = wanted.issuer or GITHUB_ISSUER
    workflow = issuer == GITHUB_ISSUER
    if not repository and (workflow or not wanted.identity):
        raise ContextError(
            f"nothing tells whose signature {reference.name} has to carry",
            hint="give `--repository OWNER/NAME` or `--key FILE`; for an identity that is no workflow's "
            "`--identity` with its `--issuer`",
        )
    ref = wanted.ref or REF
    return Signing(
        identity=wanted.identity or f"{GITHUB}/{repository}/{WORKFLOW}@{ref}",
        issuer=issuer,
        repository=repository if workflow else wanted.repository,
        ref=ref if workflow else wanted.ref,
        commit=wanted.commit
        or (annotations.get(WORKFLOW_COMMIT) or annotations.get(REVISION, "") if workflow else ""),
        trigger=wanted.trigger,
        transparency_log=wanted.transparency_log,
        trusted_root=wanted.trusted_root,
    )


def plan_target(
    reference: Reference, wanted: Expectation, annotations: Mapping[str, str]
) -> Target:
    """As much of a target as questions about signatures need."""
    return Target(
        image=reference.name,
        commit="",
        branch="",
        channel="release",
        staging=reference.tag,
        tags=(),
        platforms=wanted.limits.platforms,
        folder="",
        signing=plan_signing(reference, wanted, annotations),
    )


def plan_expected(
    reference: Reference, wanted: Expectation, annotations: Mapping[str, str], now: int
) -> Expected:
    """What has to hold; ``now`` in seconds since 1970."""
    repository, limits = plan_repository(reference, wanted, annotations), wanted.limits
    version = _VERSION.fullmatch(reference.tag)
    labels = {VERSION: version[1].replace("_", "+")} if version else {}
    source = f"{GITHUB}/{repository}" if repository else ""
    labels |= {SOURCE: source} if source else {}
    runs = (f"{source}/actions/runs/",) if source and not wanted.key else ()
    return Expected(
        platforms=limits.platforms,
        labels=labels,
        named=(REVISION, VERSION, SOURCE),
        source=source,
        builders=limits.builders or runs,
        licenses=limits.licenses,
        maximum_age=limits.maximum_age,
        now=now,
    )

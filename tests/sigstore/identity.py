"""The identity of a GitHub job: its claims, and the issuer that signs them."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

GITHUB = "https://token.actions.githubusercontent.com"
"""The issuer that tokens and certificates name. That it is reached on loopback is known to the authority alone."""


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A job as its token describes it (GitHub's docs, “OpenID Connect reference”); by default a push to main."""

    repository: str = "acme/app"
    file: str = ".github/workflows/release.yml"
    """The workflow that was started."""
    called: str = ""
    """``owner/name/path@ref`` of the reusable workflow that the job is in, when it is in one."""
    ref: str = "refs/heads/main"
    sha: str = "5eed" * 10
    event: str = "push"
    name: str = "release"
    audience: str = ""
    """Wrong on purpose; empty: the one that was asked for."""
    lifetime: int = 300
    """Seconds; below zero: expired already."""

    @property
    def identity(self) -> str:
        """The subject of its certificates: the workflow whose steps sign."""
        return f"https://github.com/{self.claims()['job_workflow_ref']}"

    def claims(self) -> dict[str, str]:
        """GitHub's own claims: all are strings, numbers too."""
        owner, started = (
            self.repository.partition("/")[0],
            f"{self.repository}/{self.file}@{self.ref}",
        )
        return {
            "sub": f"repo:{self.repository}:ref:{self.ref}",
            "repository": self.repository,
            "repository_owner": owner,
            "repository_id": "1001",
            "repository_owner_id": "1002",
            "repository_visibility": "public",
            "ref": self.ref,
            "ref_type": "tag" if self.ref.startswith("refs/tags/") else "branch",
            "sha": self.sha,
            "event_name": self.event,
            "workflow": self.name,
            "workflow_ref": started,
            "workflow_sha": self.sha,
            "job_workflow_ref": self.called or started,
            "job_workflow_sha": self.sha,
            "actor": owner,
            "runner_environment": "github-hosted",
            "run_id": "1003",
            "run_number": "1",
            "run_attempt": "1",
        }

    def variables(self) -> dict[str, str]:
        """What the runner tells a job about itself (GitHub's docs, “Variables reference”)."""
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REF": self.ref,
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_SHA": self.sha,
            "GITHUB_EVENT_NAME": self.event,
            "GITHUB_WORKFLOW_REF": self.claims()["workflow_ref"],
            "GITHUB_RUN_ID": self.claims()["run_id"],
        }


def _make_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Issuer:
    """Signs tokens with RS256, as GitHub does. ``url`` is where its keys are found."""

    url: str
    key: rsa.RSAPrivateKey = field(default_factory=_make_key)
    bearer: str = field(default_factory=lambda: secrets.token_hex(16))
    """What a job has to show to get a token: its ``ACTIONS_ID_TOKEN_REQUEST_TOKEN``."""

    def mint(self, workflow: Workflow, audience: str) -> str:
        """A signed token (RFC 7519)."""
        begin = int(time.time()) + min(0, workflow.lifetime) * 2
        times = {
            "iat": begin,
            "nbf": begin,
            "exp": begin + abs(workflow.lifetime),
            "jti": secrets.token_hex(8),
        }
        return jwt.encode(
            {**workflow.claims(), **times, "iss": GITHUB, "aud": workflow.audience or audience},
            self.key,
            algorithm="RS256",
            headers={"kid": "1"},
        )

    def discovery(self) -> dict[str, Any]:  # Any: JSON
        """``/.well-known/openid-configuration`` (OpenID Connect Discovery 1.0, 3)."""
        return {
            "issuer": GITHUB,
            "jwks_uri": f"{self.url}/.well-known/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def keys(self) -> dict[str, Any]:  # Any: JSON
        """The JSON Web Key Set (RFC 7517, 5)."""
        return {
            "keys": [
                {
                    **json.loads(RSAAlgorithm.to_jwk(self.key.public_key())),
                    "kid": "1",
                    "use": "sig",
                    "alg": "RS256",
                }
            ]
        }

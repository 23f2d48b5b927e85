"""`python3 -m shipway.effects.bundles IMAGE DIGEST …`: which Sigstore bundles a registry has of each digest, as JSON.

``{digest: [predicate type]}``. A registry lists what refers to a digest in its referrers API or, where it has none, in
an index under a tag of the digest's name (OCI distribution specification 1.1, "Referrers Tag Schema").
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress

from shipway.effects.registry import NotThere, Registry, connect
from shipway.errors import ShipwayError

PREDICATE = "dev.sigstore.bundle.predicateType"
"""Annotation of a bundle's manifest (cosign's `specs/BUNDLE_SPEC.md`)."""


def read_kinds(registry: Registry, digest: str) -> list[str]:
    """The predicate types of the bundles about ``digest``; raises ``StepFailed`` where the registry does not say."""
    about = registry.referrers(digest)
    with suppress(NotThere):
        _, index = registry.manifest(digest.replace(":", "-"))
        about += [str(one["digest"]) for one in index.get("manifests") or []]
    found = [registry.manifest(one)[1].get("annotations") or {} for one in dict.fromkeys(about)]
    return [str(one[PREDICATE]) for one in found if PREDICATE in one]


def main(name: str, *digests: str) -> None:
    """Print it; ends with the error's own words otherwise."""
    try:
        with connect(name) as registry:
            found = {digest: read_kinds(registry, digest) for digest in digests}
    except ShipwayError as error:
        sys.exit(str(error))
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The keys of labels and annotations that shipway writes and reads.

Source: OCI image specification, "Pre-Defined Annotation Keys".
"""

from __future__ import annotations

PREFIX = "org.opencontainers.image."
REVISION, VERSION, SOURCE = f"{PREFIX}revision", f"{PREFIX}version", f"{PREFIX}source"
WORKFLOW_COMMIT = "io.github.shipway.workflow-commit"
"""The commit that the workflow ran on, which a keyless certificate names: a release is the commit on top of it."""

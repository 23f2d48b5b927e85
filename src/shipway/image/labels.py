"""The keys of labels and annotations that shipway writes and reads stand here.

Source: OCI image specification, "Pre-Defined Annotation Keys".
"""

from __future__ import annotations

PREFIX = "org.opencontainers.image."
REVISION = f"{PREFIX}revision"
VERSION = f"{PREFIX}version"
TITLE = f"{PREFIX}title"
SOURCE = f"{PREFIX}source"
WORKFLOW_COMMIT = "io.github.shipway.workflow-commit"
"""Keys the commit that the workflow ran on, which a keyless certificate names.

A release is the commit on top of it.
"""

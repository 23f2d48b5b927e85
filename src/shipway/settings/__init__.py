"""What a project sets in `[tool.shipway]` is read here into frozen, typed settings.

Whatever those settings lead to is decided elsewhere: nothing here asks git, a registry or a clock.
"""

from shipway.settings.project import Project, parse_project
from shipway.settings.tables import (
    GITHUB_ISSUER,
    SEVERITIES,
    BuilderSettings,
    BuildSettings,
    CacheSettings,
    DocsSettings,
    Exemption,
    PolicySettings,
    PruneSettings,
    ReleaseSettings,
    Settings,
    SignSettings,
    TagSettings,
    Words,
)

__all__ = [
    "GITHUB_ISSUER",
    "SEVERITIES",
    "BuildSettings",
    "BuilderSettings",
    "CacheSettings",
    "DocsSettings",
    "Exemption",
    "PolicySettings",
    "Project",
    "PruneSettings",
    "ReleaseSettings",
    "Settings",
    "SignSettings",
    "TagSettings",
    "Words",
    "parse_project",
]

"""Reports of the scanners."""

from __future__ import annotations

AUDIT = {
    "dependencies": [
        {"name": "attrs", "version": "25.1", "vulns": []},
        {
            "name": "jinja2",
            "version": "3.1.2",
            "vulns": [
                {"id": "GHSA-h5c8", "fix_versions": ["3.1.3"], "aliases": ["CVE-2024-22195"]}
            ],
        },
    ],
    "fixes": [],
}
GRYPE = {
    "matches": [
        {
            "vulnerability": {
                "id": "GHSA-h5c8",
                "severity": "Medium",
                "fix": {"versions": ["3.1.3"], "state": "fixed"},
            },
            "relatedVulnerabilities": [{"id": "CVE-2024-22195"}, {"id": "GHSA-h5c8"}],
            "artifact": {"name": "Jinja2", "version": "3.1.2", "type": "python"},
        },
        {
            "vulnerability": {
                "id": "CVE-2026-1",
                "severity": "Unknown",
                "fix": {"versions": None, "state": "wont-fix"},
            },
            "artifact": {"name": "bash", "version": "5"},
        },
    ]
}
TRIVY = {
    "SchemaVersion": 2,
    "Results": [
        {
            "Target": "Python",
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2024-22195",
                    "PkgName": "Jinja2",
                    "InstalledVersion": "3.1.2",
                    "FixedVersion": "3.1.3, 2.11.4",
                    "Severity": "CRITICAL",
                }
            ],
        },
        {"Target": "debian"},
    ],
}

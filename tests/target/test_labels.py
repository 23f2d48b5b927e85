"""Labels of an image."""

from __future__ import annotations

from shipway.model.version import Version
from shipway.settings import Project
from shipway.target.context import Context
from shipway.target.labels import plan_labels

CONTEXT = Context(
    event="push",
    branch="main",
    commit="a1b2c3d4e5" + "0" * 30,
    repository="Acme/Toy",
    epoch=1_700_000_000,
)


def test_labels_come_from_the_project_and_the_commit() -> None:
    project = Project(name="toy", version="1.0.0", description="A toy", licenses="MIT")
    labels = plan_labels(project, CONTEXT, version=Version(1, 2, 3))
    prefix = "org.opencontainers.image."
    assert labels[f"{prefix}created"] == "2023-11-14T22:13:20Z"
    assert labels[f"{prefix}version"] == "1.2.3"
    assert labels[f"{prefix}revision"] == CONTEXT.commit
    assert labels[f"{prefix}source"] == labels[f"{prefix}url"] == "https://github.com/Acme/Toy"
    assert f"{prefix}documentation" not in labels


def test_what_is_not_known_is_left_out_of_the_labels() -> None:
    labels = plan_labels(Project(name="toy", version="1.0.0"), Context(event="local", commit="c"))
    assert sorted(name.rpartition(".")[2] for name in labels) == ["revision", "title", "version"]

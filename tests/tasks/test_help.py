"""The help, as people read it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shipway.tasks import namespace
from tests.support.faces import run_task


def test_the_list_of_tasks_and_the_help_of_each(
    golden: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    pages = []
    for words in (("--list",), *(("--help", name) for name in sorted(namespace.task_names))):
        assert run_task(*words) == 0
        pages.append(f"$ shipway {' '.join(words)}\n{capsys.readouterr().out.strip()}\n")
    golden("help", "\n\n".join(pages))

"""How the list of published docs is read."""

from __future__ import annotations

import pytest

from shipway.errors import StepFailed
from shipway.model.actions import Answer
from shipway.model.world import DocsVersion
from shipway.tools.mike import read_versions


def test_published_docs() -> None:
    out = (
        '[{"version": "1.0", "title": "1.0.1", "aliases": ["latest"]}, '
        '{"version": "0.9", "title": "0.9", "aliases": null, "properties": {}}]'
    )
    assert read_versions(Answer(code=0, out=out)) == {
        "1.0": DocsVersion("1.0.1", ("latest",)),
        "0.9": DocsVersion("0.9", ()),
    }


@pytest.mark.parametrize("out", ["", "{", "[[]]", '[{"version": "1.0"}]', "[" * 100_000])
def test_a_list_that_is_none_of_mikes(out: str) -> None:
    with pytest.raises(StepFailed, match=r"versions\.json .* cannot be read"):
        read_versions(Answer(code=0, out=out))

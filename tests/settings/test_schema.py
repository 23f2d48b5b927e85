"""The schema and the table of the settings come from the types."""

from __future__ import annotations

import json
from pathlib import Path

from shipway.settings.schema import list_settings, render_schema


def test_the_schema_in_the_docs_is_the_one_of_the_types() -> None:
    stored = json.loads(
        (Path(__file__).parents[2] / "docs/reference/settings.schema.json").read_text("utf-8")
    )
    assert stored == json.loads(json.dumps(render_schema()))
    assert render_schema()["$defs"]["BuildSettings"]["additionalProperties"] is False


def test_the_table_names_every_setting_with_its_default() -> None:
    rows = {row.key: (row.type_name, row.default) for row in list_settings() if row.description}
    assert rows["build.platforms"] == ("array of strings", '["linux/amd64","linux/arm64"]')
    assert rows["docs.enabled"] == ("boolean", "not set")
    assert rows["build.args"] == ("table of strings", "{}")
    assert rows["image"] == ("string", '""')

"""The changelog and the page of a release."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from shipway.errors import ContextError
from shipway.model.release import INSERTION_FLAG as FLAG
from shipway.model.release import Change, Override
from shipway.model.target import Signer, Target, require_release
from shipway.model.version import Version
from shipway.model.world import World
from shipway.settings import GITHUB_ISSUER
from shipway.target.notes import (
    ReleaseFacts,
    edit_changelog,
    mark_place,
    read_authors,
    read_notes,
    read_reverts,
    sort_sections,
)
from shipway.target.page_body import render_packages, render_page
from shipway.target.release_page import verify_words
from tests.support.model_remotes import ModelRemotes, digest_of
from tests.support.pipeline import run_pipeline

OLD = "## v1.2.2 (2026-01-01)\n\n### Bug Fixes\n\n- Old\n"
CHANGELOG = (
    "# Log\n\n<!-- version list -->\n\n## v1.2.3 (2026-11-23)\n\n### Bug Fixes\n\n- Repair\n\n"
    "### Chores\n\n- X\n\n"
    f"### Features\n\n- Shine\n\n- Blink\n\n### Breaking Changes\n\n- Use 3.11\n\n\n{OLD}"
)
FIRST = Version(1, 2, 3)
FACTS = ReleaseFacts(version=FIRST, epoch=1_700_000_000)


class TestChangelog:
    """The section of one release."""

    def test_breaking_changes_come_first_and_other_releases_stay(self) -> None:
        edited = edit_changelog(CHANGELOG, FACTS)
        assert edited == (
            "# Log\n\n<!-- version list -->\n\n## v1.2.3 (2023-11-14)\n\n### Breaking Changes\n\n- Use 3.11\n\n"
            "### Features\n\n- Shine\n\n- Blink\n\n### Bug Fixes\n\n- Repair\n\n### Chores\n\n- X\n\n"
            + OLD
        )
        assert edit_changelog(edited, FACTS) == edited

    def test_the_first_release_has_no_headings(self) -> None:
        assert edit_changelog("# Log\n\n## v1.2.3 (2026-11-23)\n\n- Initial Release\n", FACTS) == (
            "# Log\n\n## v1.2.3 (2023-11-14)\n\n- Initial Release\n"
        )

    def test_a_reason_and_authors(self) -> None:
        facts = replace(
            FACTS,
            override=Override("minor", "back\\slash \\1 <b>"),
            authors=("Ann [x](y)", "Bo"),
        )
        notes = read_notes(edit_changelog(CHANGELOG, facts), FIRST)
        assert notes.startswith(
            "Released as a minor version: back\\slash \\1 &lt;b>\n\n### Breaking Changes"
        )
        assert notes.endswith("### Authors\n\nAnn \\[x\\](y), Bo")

    def test_what_others_wrote_is_text_in_this_section_alone(self) -> None:
        text = CHANGELOG.replace("- Old", "- Old <b>").replace("- Shine", "- Shine <b> `<b>`")
        edited = edit_changelog(text, replace(FACTS, authors=("@ann <b>",)))
        assert "- Old <b>" in edited and "- Shine &lt;b> `<b>`" in edited
        assert "\n@&#8203;ann &lt;b>\n" in edited

    def test_what_was_reverted(self) -> None:
        lines = [f'{"a" * 40} Revert "feat: <x>"', f"{'b' * 40} fix: revert", "c reapply: y"]
        reverts = read_reverts(lines)
        assert reverts == (Change("a" * 40, 'Revert "feat: <x>"'), Change("c", "reapply: y"))
        edited = edit_changelog(CHANGELOG, replace(FACTS, reverts=reverts, authors=("Ann",)))
        assert '### Reverts\n\n- Revert "feat: &lt;x>" (`aaaaaaa`)\n\n- reapply: y' in edited

    @pytest.mark.parametrize(
        ("mark", "missing"), [(" (`ccccccc`)", "aaaaaaa bbbbbbb"), ("", "bbbbbbb ccccccc")]
    )
    def test_what_called_for_the_version_and_was_left_out_is_added(
        self, mark: str, missing: str
    ) -> None:
        changes = (
            Change("a" * 40, "shine"),
            Change("b" * 40, "left <out>"),
            Change("c" * 40, "told by its hash"),
        )
        text = CHANGELOG.replace("- Repair", f"- Repair{mark}")
        notes = read_notes(edit_changelog(text, replace(FACTS, changes=changes)), FIRST)
        added = notes.partition("### Other Changes\n\n")[2]
        assert " ".join(re.findall(r"\(`(\w+)`\)", added)) == missing
        assert "- left &lt;out> (`bbbbbbb`)" in added

    def test_two_types_of_change_may_have_one_title(self) -> None:
        assert sort_sections(
            "### Features\n\n- a\n\n### Chores\n\n- b\n\n### Features\n\n- c\n"
        ) == [
            "### Features\n\n- a\n\n- c",
            "### Chores\n\n- b",
        ]

    @pytest.mark.parametrize("section", ["", "\n### Features\n\n\n### Bug Fixes\n\n"])
    def test_a_section_that_names_no_change_is_an_error(self, section: str) -> None:
        text = f"# Log\n\n## v1.2.3 (x)\n{section}\n{OLD}"
        facts = replace(FACTS, authors=("Ann",))
        with pytest.raises(ContextError, match="section of v1.2.3 in CHANGELOG.md names no change"):
            edit_changelog(text, facts)
        assert "words" in edit_changelog(text, replace(facts, override=Override("patch", "words")))

    def test_a_changelog_without_the_release_stays_as_it_is(self) -> None:
        assert edit_changelog(CHANGELOG, replace(FACTS, version=Version(1, 2, 30))) == CHANGELOG

    def test_notes_are_one_section(self) -> None:
        assert read_notes(CHANGELOG, Version(1, 2, 2)) == "### Bug Fixes\n\n- Old"
        assert read_notes("## v1.2.3-rc.1 (x)\n- a\n## v1.2.3 (y)\n- b\n", FIRST) == "- b"

    @pytest.mark.parametrize("heading", ["v1.2.3", "1.2.3", "app/v1.2.3", "app-v1.2.3"])
    def test_the_heading_names_the_version_in_one_way_or_another(self, heading: str) -> None:
        edited = edit_changelog(f"## {heading} (x)\n\n- a\n\n## v11.2.3 (y)\n\n- b\n", FACTS)
        assert (
            edited.startswith(f"## {heading} (2023-11-14)\n\n- a\n")
            and read_notes(edited, FIRST) == "- a"
        )

    def test_a_changelog_that_was_not_updated_is_an_error(self) -> None:
        with pytest.raises(ContextError, match="no section for v9.9.9") as caught:
            read_notes(CHANGELOG, Version(9, 9, 9))
        assert "<!-- version list -->" in caught.value.hint

    @pytest.mark.parametrize(
        ("text", "marked"),
        [
            ("", f"{FLAG}\n"),
            ("# Log\n", f"# Log\n\n{FLAG}\n"),
            ("# Log\n\nWhat changed.\n\n## 1.0.0\n\n- a\n", f"# Log\n\nWhat changed.\n\n{FLAG}\n\n## 1.0.0\n\n- a\n"),
            ("## 1.0.0\n\n- a\n\n\n", f"{FLAG}\n\n## 1.0.0\n\n- a\n"),
            ("1.0.0\n=====\n\n- a\n", f"{FLAG}\n\n1.0.0\n=====\n\n- a\n"),
            (CHANGELOG, CHANGELOG),
        ],
    )  # fmt: skip
    def test_new_sections_have_a_place(self, text: str, marked: str) -> None:
        assert mark_place(text) == marked and mark_place(marked) == marked

    def test_words_before_the_headings_stay_there(self) -> None:
        assert sort_sections("Hello\n\n### Bug Fixes\n\n- a\n\n### Features\n\n- b\n") == [
            "Hello",
            "### Features\n\n- b",
            "### Bug Fixes\n\n- a",
        ]

    def test_authors_are_people_and_each_is_named_once(self) -> None:
        assert read_authors(["bo", "Ann", "", "Ann ", "dependabot[bot]"]) == ("Ann", "bo")


class TestPage:
    """The text of the release's page."""

    def test_it_says_how_to_verify_the_image(self) -> None:
        page = render_page(
            "- New\n", "ghcr.io/acme/toy:v1.2.3", "sha256:1", ("shipway", "verify", "x"), ""
        )
        assert page == (
            "- New\n\n### Image\n\n`ghcr.io/acme/toy:v1.2.3`\n\n`ghcr.io/acme/toy@sha256:1`\n\n"
            "```sh\nshipway verify x\n```\n"
        )

    @pytest.mark.parametrize(
        ("signer", "words"),
        [
            (Signer(key="cosign.key", public_key="keys/cosign.pub"), ("--key", "cosign.pub")),
            (
                Signer(key="gcpkms://k", transparency_log=False),
                ("--key", "gcpkms://k", "--no-transparency-log"),
            ),
            (
                Signer(key="k", public_key="k.pub", trusted_root="keys/root.json"),
                ("--key", "k.pub", "--trusted-root", "root.json"),
            ),
            (
                Signer(
                    identity="https://a",
                    issuer=GITHUB_ISSUER,
                    trusted_root="root.json",
                    transparency_log=False,
                ),
                (
                    "--identity",
                    "https://a",
                    "--trusted-root",
                    "root.json",
                    "--no-transparency-log",
                ),
            ),
            (Signer(identity="https://a", issuer=GITHUB_ISSUER), ("--identity", "https://a")),
            (
                Signer(identity="me@b", issuer="https://i"),
                ("--identity", "me@b", "--issuer", "https://i"),
            ),
        ],
    )
    def test_the_command_is_exact(self, signer: Signer, words: tuple[str, ...]) -> None:
        assert verify_words(signer, "x:v1") == ("shipway", "verify", "x:v1", *words)

    def test_platforms_in_which_the_same_changed_stand_together(self) -> None:
        rows = [
            {"name": "a|b", "before": "1 (MIT)", "after": "2 (MIT)"},
            {"name": "c", "before": "", "after": "1"},
        ]
        assert render_packages(
            {"linux/amd64": rows, "linux/arm64": rows, "linux/386": []}, "v1.2.2"
        ) == (
            "<details>\n<summary>Packages of the image: 2 changes since v1.2.2</summary>\n\n"
            "linux/amd64, linux/arm64\n\n| package | before | now |\n|---|---|---|\n"
            "| a\\|b | 1 (MIT) | 2 (MIT) |\n| c | – | 1 |\n\nlinux/386: nothing changed\n\n</details>"
        )
        assert not render_packages({}, "v1")

    def test_a_whole_page(self, golden: Callable[[str, str], None]) -> None:
        facts = replace(
            FACTS,
            override=Override("minor", "the command line changed"),
            authors=("Ann", "Bo"),
        )
        notes = read_notes(edit_changelog(CHANGELOG, facts), FIRST)
        image = "ghcr.io/acme/toy:v1.2.3"
        rows = [
            {"name": "attrs", "before": "25.1 (MIT)", "after": "25.4 (MIT)"},
            {"name": "click", "before": "", "after": "8.3 (BSD-3-Clause)"},
        ]
        packages = render_packages({"linux/amd64": rows, "linux/arm64": rows[:1]}, "v1.2.2")
        workflow = Signer(
            identity="https://github.com/acme/toy/.github/workflows/release.yml@refs/heads/main",
            issuer=GITHUB_ISSUER,
        )
        golden(
            "release-page",
            render_page(notes, image, digest_of("x"), verify_words(workflow, image), packages),
        )

    def test_the_page_shows_what_changed_since_the_release_before(self, target: Target) -> None:
        remotes = ModelRemotes()
        release = replace(require_release(target), previous=Version(1, 2, 2))
        run_pipeline(remotes, replace(target, release=release))
        assert f"changes since {target.image}:v1.2.2" in str(remotes.releases[0]["body"])
        other = ModelRemotes()
        run_pipeline(other, target)
        assert "changes since" not in str(other.releases[0]["body"]) and World().changes == ""

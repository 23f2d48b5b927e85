"""What others wrote is text for whoever reads the page; code stays code, links of the template links."""

from __future__ import annotations

import re

import markdown
import pytest
from markdown_it import MarkdownIt

from shipway.target.markdown import escape_section, escape_text

COMMIT = "abcdef1234567890abcdef1234567890abcdef12"
LINKS = (
    f" ([#12](https://github.com/acme/toy/pull/12),\n"
    f"  [`{COMMIT[:7]}`](https://github.com/acme/toy/commit/{COMMIT}))"
)
SUBJECTS = (
    "Accept List<String> and <name> placeholders",
    "Handle <script>window.hit=1</script> in titles",
    "<div>",
    "<!-- hidden",
    "&lt;b&gt; is &amp; &#60; &copy; AT&T",
    "![a](https://x.example/y.png) and [b](https://x.example/y)",
    "[a](javascript:alert(1))",
    "[x]: https://x.example",
    "[^1]: a note",
    "[TOC]",
    "[ ] a task",
    "{{ config }} {% raw %} {# no #} ${{ secrets.X }}",
    '--8<-- "CHANGELOG.md"',
    "text {: onclick=alert(1) }",
    "# heading",
    "> quote",
    "1. list",
    "2) list",
    "- list",
    "+ list",
    "---",
    "===",
    "***",
    "```python",
    "~~~",
    "| a | b |",
    "!!! note",
    '??? "more"',
    "::: module",
    "/// tab",
    "~~struck~~ out ~ twice",
    "*args and **kwargs, __init__ and snake_case, _x_",
    "an unclosed ` tick <b>",
    "back\\slash, \\* and \\<b>",
    "a path ~/.x and $HOME and $PATH",
    "Ünder and 1.5 (and) it's 100 %",
)
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def read(markdown: str) -> list[str]:
    """Give the text of each entry, without its links, as a page shows it; it has no other markup."""
    html = READER.render(markdown)
    html = re.sub(r" \(<a href[^>]*>#12</a>,\s+<a href[^>]*><code>\w+</code></a>\)", "", html)
    entries = re.findall(r"<li>\s*<p>(.*?)</p>\s*</li>", html, re.DOTALL)
    return [re.sub(r"&(lt|gt|quot|amp);", decode, entry) for entry in entries]


def decode(match: re.Match[str]) -> str:
    return {"lt": "<", "gt": ">", "quot": '"', "amp": "&"}[match[1]]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_text(subject: str) -> None:
    section = escape_section(f"### Features\n\n- {subject}{LINKS}\n\n- Next{LINKS}\n")
    assert LINKS in section and section.startswith("### Features\n\n- ")
    assert read(section) == [subject, "Next"]
    assert not re.search(r"\{[{%#]|^\s*--8<|<(?!a |/a|code|/code)", section, re.MULTILINE)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_reason_is_text(subject: str) -> None:
    html = READER.render(f"{escape_text(subject)}\n").strip()
    shown = html.removeprefix("<p>").removesuffix("</p>")
    assert re.sub(r"&(lt|gt|quot|amp);", decode, shown) == subject


@pytest.mark.parametrize(
    ("subject", "written"),
    [
        ("Use `List<String>` here", "Use `List<String>` here"),
        ("``a`b<x>`` first", "``a`b<x>`` first"),
        ("`@me` and `[x](https://a/x1)`", "`@me` and `[x](https://a/x1)`"),
        ("`a` <b> `c", "`a` &lt;b> \\`c"),
        ("`{{ x }}`", "<code>&#123;&#123; x &#125;&#125;</code>"),
    ],
)
def test_code_stays_code(subject: str, written: str) -> None:
    assert escape_section(f"- {subject}{LINKS}") == f"- {written}{LINKS}"


def test_nobody_is_notified() -> None:
    written = escape_text("thanks @octocat, @org/team and me@example.org")
    assert written == "thanks @&#8203;octocat, @&#8203;org/team and me@example.org"


def test_a_scope_is_bold_and_a_title_stays() -> None:
    section = f"### Bug Fixes\n\n- **core<b>**: A_b\n  is *here*{LINKS}\n"
    assert escape_section(section) == (
        f"### Bug Fixes\n\n- **core&lt;b>**: A_b\n  is \\*here\\*{LINKS}\n"
    )
    assert escape_section("_Under the <MIT> license._\n") == "_Under the &lt;MIT> license._\n"


@pytest.mark.parametrize("word", ["#", "-", "1.", ">", "```", "--8<--", "===", "<div>", "|", ":"])
def test_a_wrapped_line_begins_nothing(word: str) -> None:
    words = "word " * 18 + "in-front "
    section = escape_section(f"- {words.strip()}\n  {word} more{LINKS}\n\n- Next{LINKS}\n")
    assert read(section) == [f"{words}{word} more", "Next"]
    assert "  --8" not in section


def test_entries_of_a_template_stay_entries() -> None:
    section = "- Changes\n  - of <one>\n  - of two\n* three\n1. four\n"
    assert escape_section(section) == section.replace("<", "&lt;")


@pytest.mark.parametrize(
    ("link", "is_kept"),
    [
        ("[TOY-12](https://tracker.example/browse/TOY-12)", True),
        ("[v1...v2](https://github.com/acme/toy/compare/v1...v2)", True),
        ("[#7](https://github.com/acme/toy/issues/7)", True),
        ("[click](https://x.example/click)", False),
        ("[x1](https://x1.example)", False),
        ("[#7](https://x.example/8)", False),
    ],
)
def test_links_that_name_what_they_lead_to(link: str, is_kept: bool) -> None:
    assert (link in escape_section(f"- See {link} there")) is is_kept


def test_a_link_to_elsewhere_is_none_of_the_template() -> None:
    forged = f"[`{COMMIT[:7]}`](https://x.example/{COMMIT})"
    assert forged not in escape_section(f"- See ({forged}){LINKS}")
    ours = "[#7](https://github.com/acme/toy/issues/7)"
    assert ours in escape_section(f"- See {ours}{LINKS}")


def test_what_ends_a_line_for_some_readers_ends_none() -> None:
    assert escape_section("- a\u2028# b\x85- c\r- d\x1b[0m") == "- a # b - c - d \\[0m"
    assert escape_text("a \u202ecod.exe\u2066 b") == "a  cod.exe  b"


def test_a_very_long_entry_takes_no_longer() -> None:
    text = "- " + "`" + "a``b```c" * 20_000
    assert len(escape_section(text)) > len(text)


class TestPythonMarkdown:
    """Docs are made by it: with extensions that know more marks than GitHub does."""

    @pytest.mark.parametrize("subject", SUBJECTS)
    def test_a_subject_is_text(self, subject: str) -> None:
        names = ["toc", "attr_list", "tables", "admonition", "abbr", "def_list", "footnotes"]
        names += ["fenced_code", "md_in_html"]
        section = escape_section(
            f"- {subject}{LINKS}\n\n- Next{LINKS}\n\n## Before\n\n<b>old</b>\n"
        )
        extensions = [f"markdown.extensions.{name}" for name in names]
        html = markdown.markdown(f"{section}\n## Before\n\n<b>old</b>\n", extensions=extensions)
        shown = re.findall(r"<li>\s*<p>(.*?)\s\(<a", html, re.DOTALL)
        decoded = [re.sub(r"&#(\d+);", lambda mark: chr(int(mark[1])), text) for text in shown]
        assert [re.sub(r"&(lt|gt|quot|amp);", decode, text) for text in decoded] == [
            subject,
            "Next",
        ]
        assert "<b>old</b>" in html

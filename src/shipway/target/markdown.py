"""This module writes what others wrote (commits, authors, a reason) as text into Markdown. Pure.

The text is read by GitHub (GitHub Flavored Markdown), by Python-Markdown with its extensions, and
by template engines that see the page before them: no word may be markup, a directive or a mention
for one of them. Code spans stay code, and links that a changelog's template made stay links.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

_RUN = re.compile("`+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Matches what ends a line or a word for one reader and not for another, or turns text around."""
_TEMPLATE_MARK = re.compile(r"\{[{%#]|-8<-|<!--|<\?|<!\[")
"""Matches what acts in code, too: templates and snippets do not know what code is."""
_MARK = re.compile(r"[^\w\s]")
_LINK = re.compile(
    r"\[(?P<label>`[^`\[\]\n]+`|[^`\[\]\n<>{}]+)\]"
    r"\((?P<origin>https?://[\w.:-]+)(?:/[\w.~:/?#@!&=+,;%-]*)?/(?P<end>[\w.~+%-]+)\)"
)
_REFERENCES = re.compile(r"\s\((?:\[[^\[\]\n]+\]\(https?://[^\s()<>{}\[\]]+\)(?:,\s+)?)+\)\Z")
"""Matches what python-semantic-release's template puts behind each entry: links."""
_ADDRESS = re.compile(r"https?://[\w.:/?#=%+~,;@-]+")
_ENTITY = r"&(?=#\d+;|#[xX][0-9a-fA-F]+;|\w+;)"
_MARKUP = re.compile(
    rf"(?P<escaped>[*\[\]{{`]|(?<![^\W_])_|_(?![^\W_])|\\(?=[!-/:-@\[-`{{-~\s]|$))"
    rf"|(?P<encoded><|(?<=\{{)[%#]|{_ENTITY})"
    r"|(?P<mention>(?<![\w`])@(?=\w))"
)
_PAIRED = "~$"
"""Holds characters that are markup where there are two of them: struck out, a formula."""
_ENTRY = re.compile(r"(?P<indent>\s*)(?P<mark>[-*+]|\d{1,9}[.)])(?P<space>\s+)")
_HEADING = re.compile(r"#{1,6} ")
_SCOPE = re.compile(r"\*\*(?P<name>[^*\n]+)\*\*(?=: )")
_KEY = re.compile(r"[0-9a-f]{7,40}|(?=.*\d)[\w.~+%-]+")
"""Matches what links of a changelog are labelled with: a hash, a number, a version."""
_NUMBER = re.compile(r"\d{1,9}(?=[.)](\s|$))")
_HARMLESS_START = re.compile(r"[^\W_]|[\"'(“„«&@]|`(?!``)|\[`?[\w#!]+`?\]\(https?://")
_ESCAPABLE = "\\`*_{}[]()>#+-.!"
"""Holds what a backslash escapes in CommonMark and in Python-Markdown."""
_WIDTH = 100
"""Says where python-semantic-release's template wraps a line."""
_ENCODED = {"<": "&lt;", "&": "&amp;"}
_ZERO_WIDTH_SPACE = "&#8203;"


def escape_text(text: str) -> str:
    """Write a line of text that shows as it is, but for code in backticks, which shows as code."""
    return _escape_start(_CONTROL.sub(" ", text))


def escape_section(text: str) -> str:
    """Write a section of a changelog so that its markup is the template's alone.

    The template makes headings, entries of lists, bold scopes and links; its own paragraphs keep
    their emphasis.
    """
    unix_text = text.replace("\r\n", "\n")
    clean_text = _CONTROL.sub(" ", unix_text)
    blocks = _split_blocks(clean_text.split("\n"))
    return "\n".join(_escape_block(block) for block in blocks)


def _split_blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Give the lines of each entry of a list together, and every other line for itself."""
    block: list[str] = []
    for line in lines:
        if block and _continues(block[-1], line):
            block.append(line)
            continue
        if block:
            yield block
            block = []
        if _ENTRY.match(line):
            block = [line]
        else:
            yield [line]
    if block:
        yield block


def _continues(before: str, line: str) -> bool:
    """Tell whether the line is the rest of an entry.

    An indented line that begins like an entry was wrapped there only if its first word did not fit
    into the line before.
    """
    if not line.strip():
        return False
    is_entry = _ENTRY.match(line) is not None
    is_indented = line[0].isspace()
    if not is_indented:
        return not is_entry and not _HEADING.match(line)
    if not is_entry:
        return True
    first_word = line.split()[0]
    unwrapped_width = len(before) + 1 + len(first_word)
    return unwrapped_width > _WIDTH


def _escape_block(lines: Sequence[str]) -> str:
    first_line = lines[0]
    entry = _ENTRY.match(first_line)
    if entry is None:
        return _escape_line(first_line)
    content = first_line[entry.end() :]
    joined = _join_lines([content, *lines[1:]])
    text, references = _split_references(joined)
    # Where the template's links lead is known then: a link to elsewhere is somebody's.
    origins = {link["origin"] for link in _LINK.finditer(references)}
    escaped = _escape_entry(text, origins)
    return f"{entry[0]}{escaped}{references}"


def _escape_line(line: str) -> str:
    """Escape a line that belongs to no entry; a heading stays as it is."""
    if _HEADING.match(line):
        return line
    if not line.strip():
        return line
    return _escape_inline(line, emphasis=True)


def _split_references(text: str) -> tuple[str, str]:
    """Part an entry from the links behind it; they are empty where one is not the template's."""
    references = _REFERENCES.search(text)
    if references is None:
        return text, ""
    for link in _LINK.finditer(references[0]):
        if not _names_its_end(link):
            return text, ""
    before = text[: references.start()]
    return before, references[0]


def _escape_entry(text: str, origins: Collection[str]) -> str:
    """Escape the text of an entry, with or without a scope."""
    scope = _SCOPE.match(text)
    if scope is None:
        return _escape_start(text, origins)
    name = _escape_inline(scope["name"])
    description = text[scope.end() :]
    escaped = _escape_inline(description, origins)
    return f"**{name}**{escaped}"


def _join_lines(lines: Sequence[str]) -> str:
    """Join lines of an entry where the next one would begin with markup: in a line it has none."""
    text = lines[0]
    for line in lines[1:]:
        content = line.lstrip()
        if _HARMLESS_START.match(content) and not _NUMBER.match(content):
            text += f"\n{line}"
        else:
            text += f" {content}"
    return text


def _escape_start(text: str, origins: Collection[str] = ()) -> str:
    """Escape a block, and its first character where it could begin anything but a paragraph."""
    number = _NUMBER.match(text)
    if number:
        rest = text[number.end() :]
        escaped_rest = _escape_inline(rest, origins)
        return f"{number[0]}\\{escaped_rest}"
    escaped = _escape_inline(text, origins)
    if not text or _HARMLESS_START.match(text):
        return escaped
    first = text[0]
    # What was changed already begins nothing, and code is none of these characters.
    if first == "`" or not escaped.startswith(first):
        return escaped
    if first in _ESCAPABLE:
        return f"\\{escaped}"
    if first.isascii():
        return _encode(first) + escaped[1:]
    return escaped


def _encode(character: str) -> str:
    """Write a character so that it is shown, and is no markup anywhere."""
    code = ord(character)
    return f"&#{code};"


def _escape_inline(text: str, origins: Collection[str] = (), *, emphasis: bool = False) -> str:
    """Escape markup outside of code spans and links, which lead to one of ``origins`` if given.

    ``emphasis`` leaves stars and underscores.
    """
    kept_characters = "*_" if emphasis else ""
    paired = [character for character in _PAIRED if text.count(character) > 1]
    length = len(text)
    text_end = (length, length, "")
    parts: list[str] = []
    end = 0
    for start, stop, replacement in (*_find_kept(text, origins), text_end):
        between = text[end:start]
        plain = _escape_plain(between, kept_characters)
        for character in paired:
            plain = plain.replace(character, _encode(character))
        parts += (plain, replacement)
        end = stop
    return "".join(parts)


def _find_kept(text: str, origins: Collection[str]) -> Iterator[tuple[int, int, str]]:
    """Find code spans, links of the template and addresses, and give what is written for each."""
    spans: dict[int, tuple[int, str]] = {}
    for start, stop in _find_code(text):
        code = _render_code(text[start:stop])
        spans[start] = (stop, code)
    for address in _ADDRESS.finditer(text):
        start, stop = address.span()
        spans[start] = (stop, address[0])
    for link in _find_links(text, origins):
        start, stop = link.span()
        spans[start] = (stop, link[0])
    end = 0
    for start in sorted(spans):
        stop, replacement = spans[start]
        if start >= end:
            yield start, stop, replacement
            end = stop


def _find_links(text: str, origins: Collection[str]) -> Iterator[re.Match[str]]:
    """Find links as the template makes them, to one of ``origins`` if given."""
    for link in _LINK.finditer(text):
        is_elsewhere = origins and link["origin"] not in origins
        if not is_elsewhere and _names_its_end(link):
            yield link


def _names_its_end(link: re.Match[str]) -> bool:
    """Tell whether a link names what its address ends with, as links to commits and issues do."""
    label = link["label"].strip("`")
    last_word = label.rpartition(" ")[2]
    key = last_word.lstrip("#!")
    if not _KEY.fullmatch(key):
        return False
    return link["end"].startswith(key)


def _find_code(text: str) -> Iterator[tuple[int, int]]:
    """Find code spans: from a run of backticks to the next one of the same length."""
    runs = list(_RUN.finditer(text))
    unclosed: set[int] = set()
    index = 0
    while index < len(runs):
        start = runs[index]
        length = len(start[0])
        index += 1
        if length in unclosed:
            continue
        for number in range(index, len(runs)):
            end = runs[number]
            if len(end[0]) == length:
                yield start.start(), end.end()
                index = number + 1
                break
        else:
            unclosed.add(length)


def _render_code(span: str) -> str:
    """Give a code span as it is, or without template marks where it has some."""
    if not _TEMPLATE_MARK.search(span):
        return span
    content = span.strip("`").strip()
    encoded = _MARK.sub(lambda mark: _encode(mark[0]), content)
    return f"<code>{encoded}</code>"


def _escape_plain(text: str, kept: str) -> str:
    """Escape markup, but for the characters of ``kept``."""

    def escape(match: re.Match[str]) -> str:
        mark = match[0]
        if mark in kept:
            return mark
        if match["mention"]:
            return mark + _ZERO_WIDTH_SPACE
        if match["encoded"]:
            return _ENCODED.get(mark) or _encode(mark)
        return f"\\{mark}"

    return _MARKUP.sub(escape, text)

"""This module writes what others wrote (commits, authors, a reason) as text into Markdown. Pure.

The text is read by GitHub (GitHub Flavored Markdown), by Python-Markdown with its extensions, and
by template engines that see the page before them: no word may be markup, a directive or a mention
for one of them. Code spans stay code, and links that a changelog's template made stay links.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

_RUN = re.compile("`+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""Matches what ends a line or a word for one reader and not for another."""
_TEMPLATE_MARK = re.compile(r"\{[{%#]|-8<-|<!--|<\?|<!\[")
"""Matches what acts in code, too: templates and snippets do not know what code is."""
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
    lines = _CONTROL.sub(" ", text.replace("\r\n", "\n")).split("\n")
    return "\n".join(_escape_block(block) for block in _split_blocks(lines))


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
    if not line[0].isspace():
        return not (_ENTRY.match(line) or _HEADING.match(line))
    first_word = line.split()[0]
    return not _ENTRY.match(line) or len(before) + 1 + len(first_word) > _WIDTH


def _escape_block(lines: Sequence[str]) -> str:
    entry = _ENTRY.match(lines[0])
    if entry is None:
        (line,) = lines
        if _HEADING.match(line) or not line.strip():
            return line
        return _escape_inline(line, emphasis=True)
    text = _join_lines([lines[0][entry.end() :], *lines[1:]])
    references = _REFERENCES.search(text)
    tail = ""
    links = list(_LINK.finditer(references[0])) if references else []
    if references and all(map(_names_its_end, links)):
        tail = references[0]
        text = text[: references.start()]
    # Where the template's links lead is known then: a link to elsewhere is somebody's.
    origins = {link["origin"] for link in links} if tail else set()
    scope = _SCOPE.match(text)
    if scope is None:
        return f"{entry[0]}{_escape_start(text, origins)}{tail}"
    name = _escape_inline(scope["name"])
    return f"{entry[0]}**{name}**{_escape_inline(text[scope.end() :], origins)}{tail}"


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
        return f"{number[0]}\\{_escape_inline(text[number.end() :], origins)}"
    escaped = _escape_inline(text, origins)
    # What was changed already begins nothing, and code is none of these characters.
    if not text or escaped[:1] != text[0] or text[0] == "`" or _HARMLESS_START.match(text):
        return escaped
    if text[0] in _ESCAPABLE:
        return f"\\{escaped}"
    if text[0].isascii():
        return f"&#{ord(text[0])};{escaped[1:]}"
    return escaped


def _escape_inline(text: str, origins: Collection[str] = (), *, emphasis: bool = False) -> str:
    """Escape markup outside of code spans and links, which lead to one of ``origins`` if given.

    ``emphasis`` leaves stars and underscores.
    """
    kept_characters = "*_" if emphasis else ""
    paired = [character for character in _PAIRED if text.count(character) > 1]
    parts: list[str] = []
    end = 0
    for start, stop, replacement in (*_find_kept(text, origins), (len(text), len(text), "")):
        plain = _escape_plain(text[end:start], kept_characters)
        for character in paired:
            plain = plain.replace(character, f"&#{ord(character)};")
        parts += (plain, replacement)
        end = stop
    return "".join(parts)


def _find_kept(text: str, origins: Collection[str]) -> Iterator[tuple[int, int, str]]:
    """Find code spans, links of the template and addresses, and give what is written for each."""
    end = 0
    links: dict[int, re.Match[str]] = {}
    for link in _LINK.finditer(text):
        if _names_its_end(link) and (not origins or link["origin"] in origins):
            links[link.start()] = link
    addresses = {address.start(): address for address in _ADDRESS.finditer(text)}
    code = dict(_find_code(text))
    for start in sorted({*links, *addresses, *code}):
        if start < end:
            continue
        if start in links:
            end = links[start].end()
            yield start, end, links[start][0]
        elif start in addresses:
            end = addresses[start].end()
            yield start, end, text[start:end]
        else:
            end = code[start]
            yield start, end, _render_code(text[start:end])


def _names_its_end(link: re.Match[str]) -> bool:
    """Tell whether a link names what its address ends with, as links to commits and issues do."""
    label = link["label"].strip("`").rpartition(" ")[2].lstrip("#!")
    return _KEY.fullmatch(label) is not None and link["end"].startswith(label)


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
            if len(runs[number][0]) == length:
                yield start.start(), runs[number].end()
                index = number + 1
                break
        else:
            unclosed.add(length)


def _render_code(span: str) -> str:
    """Give a code span as it is, or without template marks where it has some."""
    if not _TEMPLATE_MARK.search(span):
        return span
    content = span.strip("`").strip()
    encoded = re.sub(r"[^\w\s]", lambda mark: f"&#{ord(mark[0])};", content)
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
            return _ENCODED.get(mark, f"&#{ord(mark)};")
        return f"\\{mark}"

    return _MARKUP.sub(escape, text)

"""This module closes the environment that git runs in: one list of variables, one of settings.

What says how a remote is reached, and whom git trusts, goes on; nothing else does that would change
an answer, a file or a commit. ``git.conf`` beside it holds the settings. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from shipway.errors import ContextError

Setting: TypeAlias = tuple[str, str]
"""Pairs a setting of git (``http.proxy``) with what it says."""
PARAMETERS = "GIT_CONFIG_PARAMETERS"
"""Names the variable with the settings from outside that say how a remote is reached.

They may hold a login (``http.extraHeader``): only commands that reach a remote are given it.
"""
LOCAL_VARIABLES = frozenset(
    (
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REFERENCE_BACKEND",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    )
)
"""Variables that belong to one repository: what `git rev-parse --local-env-vars` names, from git
2.39 to 2.54.
"""
_SHAPING_VARIABLES = re.compile(
    r"GIT_(ADVICE|ALLOW_NULL_SHA1|ATTR_\w+|CEILING_DIRECTORIES|CURL_VERBOSE|DEFAULT_\w+|DIFF_\w+"
    r"|(?:SEQUENCE_)?EDITOR|EXTERNAL_DIFF\w*|FLUSH|INDEX_VERSION|NAMESPACE|PAGER(?:_IN_USE)?"
    r"|(?:LITERAL|GLOB|NOGLOB|ICASE)_PATHSPECS|MERGE_\w+|NOTES_\w+|PRINT_SHA1_ELLIPSIS"
    r"|PROTOCOL|PUSH_\w+|QUARANTINE_PATH|REDACT_COOKIES|REFLOG_ACTION|REF_PARANOIA"
    r"|COMMIT_GRAPH_PARANOIA|(?:DISABLE|FORCE)_UNTRACKED_CACHE|TEMPLATE_DIR"
    r"|(?:AUTHOR|COMMITTER|INTERNAL|PYTHON|TEST|TRACE|TRACE2)_\w+|TRACE|TRACE2"
    r"|TRANS(?:LOOP|PORT_HELPER)_DEBUG|LFS_SKIP_SMUDGE)"
)
"""Matches the other variables of git that change what it answers, writes or shows."""
_CLOSED_VARIABLES = {
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM": "1",
    # Keeps `git status` from writing what it sees into the user's index.
    "GIT_OPTIONAL_LOCKS": "0",
    # Settings turn traces on, too; these outweigh them.
    "GIT_TRACE2": "0",
    "GIT_TRACE2_EVENT": "0",
    "GIT_TRACE2_PERF": "0",
    # What is read for its words must be in English.
    "LC_ALL": "C",
}
_INCLUDE = ("include.path", str(Path(__file__).with_name("git.conf")))
_REACHING = re.compile(
    r"core\.(askpass|gitproxy|sshcommand)|(credential|http|protocol|ssh|url)\..*"
    r"|remote\..*\.(proxy|proxyauthmethod|pushurl|receivepack|serveroption|uploadpack|url|vcs)"
    # A partial clone has the rest of its objects from there.
    r"|remote\..*\.(partialclonefilter|promisor)",
    re.IGNORECASE | re.DOTALL,
)
_TRUSTING = re.compile(r"safe\..*|include(if\..*)?\.path", re.IGNORECASE | re.DOTALL)
_QUOTED = r"'((?:[^']|'\\[!']')*)'"
_PARAMETER = re.compile(rf"{_QUOTED}(?:(=)(?:{_QUOTED})?)?\s*")


def says_how_to_reach(key: str) -> bool:
    """Tell whether a setting says how a remote is reached: where it is, by which way, who asks."""
    return _REACHING.fullmatch(key) is not None


def list_known_settings() -> tuple[str, ...]:
    """Give the command line that lists all settings which are in force in the working folder."""
    return ("git", "config", "--list", "-z")


def read_list(text: str) -> tuple[Setting, ...]:
    """Read settings as git prints them with `-z`; one without a value is on."""
    settings: list[Setting] = []
    for entry in text.split("\0"):
        key, separator, value = entry.partition("\n")
        if key:
            settings.append((key, value if separator else "true"))
    return tuple(settings)


def close_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the environment in which git answers and writes the same for everybody.

    Of the settings that stand in the environment those stay that say how a remote is reached, whom
    git trusts, and which files have more settings. Raises ``ContextError`` for variables that git
    would not understand.
    """
    public: list[Setting] = []
    reaching: list[Setting] = []
    for setting in _read_settings(environment):
        key, _ = setting
        if says_how_to_reach(key):
            reaching.append(setting)
        elif _TRUSTING.fullmatch(key) and setting != _INCLUDE:
            public.append(setting)
    # The closed list comes last: what is said last counts.
    public.append(_INCLUDE)
    closed: dict[str, str] = {}
    for name, text in environment.items():
        if not _is_dropped(name):
            closed[name] = text
    closed.update(_CLOSED_VARIABLES)
    closed.update(_number_settings(public))
    if reaching:
        parameters = [_quote_setting(setting) for setting in reaching]
        closed[PARAMETERS] = " ".join(parameters)
    return closed


def _is_dropped(name: str) -> bool:
    if name in LOCAL_VARIABLES:
        return True
    if name.startswith(("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")):
        return True
    return _SHAPING_VARIABLES.fullmatch(name) is not None


def _number_settings(settings: Iterable[Setting]) -> Iterator[tuple[str, str]]:
    count = 0
    for key, value in settings:
        yield f"GIT_CONFIG_KEY_{count}", key
        yield f"GIT_CONFIG_VALUE_{count}", value
        count += 1
    yield "GIT_CONFIG_COUNT", str(count)


def _quote_setting(setting: Setting) -> str:
    quoted: list[str] = []
    for part in setting:
        escaped = part.replace("'", "'\\''")
        quoted.append(f"'{escaped}'")
    return "=".join(quoted)


def _read_settings(environment: Mapping[str, str]) -> Iterator[Setting]:
    """Read the settings that the environment holds, in the order in which git does."""
    count = environment.get("GIT_CONFIG_COUNT") or "0"
    is_number = count.isdecimal() and len(count) <= 4
    if not is_number:
        raise _misunderstood("GIT_CONFIG_COUNT is no number of settings")
    for number in range(int(count)):
        key = environment.get(f"GIT_CONFIG_KEY_{number}")
        value = environment.get(f"GIT_CONFIG_VALUE_{number}")
        if key is None or value is None:
            problem = f"GIT_CONFIG_COUNT is {count}, and setting {number} is not there"
            raise _misunderstood(problem)
        yield key, value
    parameters = environment.get(PARAMETERS, "")
    yield from _read_parameters(parameters)


def _read_parameters(text: str) -> Iterator[Setting]:
    """Read what ``git -c`` hands on: ``'key'='value'``, ``'key=value'`` of older gits, ``'key'=``."""
    content = text.lstrip()
    position = len(text) - len(content)
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None:
            raise _misunderstood(f"{PARAMETERS} cannot be read")
        position = match.end()
        key, separator, value = match.groups()
        if separator is None and "=" in key:
            key, _, value = key.partition("=")
        # A setting without a value is on.
        setting_value = "true"
        if value is not None:
            setting_value = _unquote(value)
        yield _unquote(key), setting_value


def _unquote(text: str) -> str:
    return re.sub(r"'\\([!'])'", r"\1", text)


def _misunderstood(problem: str) -> ContextError:
    return ContextError(
        f"the settings of git in the environment make no sense: {problem}",
        hint="unset GIT_CONFIG_COUNT and GIT_CONFIG_PARAMETERS, or set them as git-config(1) says",
    )

"""This module decides which settings a clone needs to reach what the checkout reaches. Pure.

They are written into a file beside the clone, which nobody else can read: some hold a login, which
must stand in no argument and no plan, and in no folder that is built.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from shipway.tools.git_environment import Setting, says_how_to_reach

_HELPER = (
    '!f() { test "$1" = get && echo username=x-access-token && '
    'echo "password=${GITHUB_TOKEN:-$GH_TOKEN}"; }; f'
)
"""Holds a credential helper that reads the token from its environment.

So the token stands in no file and no argument.
"""
_HOST = re.compile(r"(https://)(?:[^/@]*@)?([^/]+)")
_FILES = re.compile(
    r"http\..*?(proxyssl(cainfo|cert|key)|cookiefile|ssl(cainfo|capath|cert|key))", re.DOTALL
)
_FILE_VARIABLES = re.compile("GIT_(PROXY_)?SSL_(CAINFO|CAPATH|CERT|KEY)|GIT_CONFIG_(GLOBAL|SYSTEM)")
_PROGRAM_VARIABLES = ("GIT_ASKPASS", "GIT_PROXY_COMMAND", "GIT_SSH", "SSH_ASKPASS")
_SCHEME_OR_HOST = re.compile(r"[^/\\]*:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Says which remote a clone reaches, and from which checkout its settings come."""

    name: str
    address: str
    top: str
    """Names the top folder of the checkout, in which git resolves paths of its settings."""
    has_token: bool
    """Says that a token of the environment logs in."""


def find_address(settings: Iterable[Setting], remote: str) -> str:
    """Give the address that git fetches from: the first; it is empty where there is none."""
    key = f"remote.{remote}.url"
    for name, value in settings:
        if name == key:
            return value
    return ""


def carry_settings(
    checkout: Iterable[Setting], clone: Iterable[Setting], remote: Remote
) -> Iterator[Setting]:
    """Give what the clone has to be told, so that it reaches the remote as the checkout does.

    ``checkout`` and ``clone`` are all settings that are in force there: what stands in the files of
    the user or the system is in both, unless it is bound to a folder (``includeIf``).
    """
    # It says that every ref is pushed, and may come from the user's own file.
    yield f"remote.{remote.name}.mirror", "false"
    host = _HOST.match(remote.address)
    if remote.has_token and host:
        yield f"credential.{host[1]}{host[2]}.helper", _HELPER
    settings = tuple(checkout)
    named = dict(settings)
    command = named.get("core.sshcommand", "")
    if "ssh.variant" not in named and _is_openssh(command):
        yield "ssh.variant", "ssh"
    there = Counter(clone)
    for setting in settings:
        if there[setting]:
            there[setting] -= 1
        elif _is_carried(setting, remote):
            key, value = setting
            resolved = _resolve(key, value, remote.top)
            yield key, resolved


def _is_carried(setting: Setting, remote: Remote) -> bool:
    key, value = setting
    section, _, _ = key.rpartition(".")
    if key.startswith("remote.") and section != f"remote.{remote.name}":
        return False
    # Two logins would be sent at once; the token of the environment was given for this run.
    if remote.has_token and key.endswith(".extraheader"):
        header = value.lower()
        if header.startswith("authorization:"):
            return False
    return says_how_to_reach(key)


def _resolve(key: str, value: str, top: str) -> str:
    """Let a value mean in the clone what it means in the checkout, where paths begin at its top."""
    if not value:
        return value
    if key == "core.sshcommand":
        return _start_in(top, value)
    if key.startswith("credential.") and key.endswith(".helper"):
        helper = _helper_command(value)
        command = _start_in(top, helper)
        return f"!{command}"
    is_address = key.startswith("remote.") and key.endswith("url")
    is_program = key == "core.askpass" and "/" in value
    if is_address or is_program or _FILES.fullmatch(key):
        return _begin_at(top, value)
    return value


def _start_in(folder: str, command: str) -> str:
    """Let a command line of a shell be started in a folder."""
    return f"cd {shlex.quote(folder)} && {command}"


def _begin_at(folder: str, value: str) -> str:
    """Let a path that is not absolute begin at a folder; an address is no path."""
    if value.startswith("~") or _SCHEME_OR_HOST.match(value):
        return value
    return str(PurePath(folder) / value)


def anchor_variables(environment: Mapping[str, str], top: str) -> dict[str, str]:
    """Let variables that say how to reach a remote mean in every folder what they mean at ``top``.

    git starts what they name at the top of the repository that it works in, which is a clone's.
    """
    anchored = dict(environment)
    for name, value in environment.items():
        if not value:
            continue
        if name == "GIT_SSH_COMMAND":
            anchored[name] = _start_in(top, value)
            continue
        is_program = name in _PROGRAM_VARIABLES and "/" in value
        if is_program or _FILE_VARIABLES.fullmatch(name):
            anchored[name] = _begin_at(top, value)
    command = environment.get("GIT_SSH_COMMAND", "")
    if command and "GIT_SSH_VARIANT" not in environment and _is_openssh(command):
        anchored["GIT_SSH_VARIANT"] = "ssh"
    return anchored


def _is_openssh(command: str) -> bool:
    """Tell whether git takes a command line for OpenSSH's, which it does by its first word."""
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    if not words:
        return False
    program = PurePath(words[0])
    return program.name in ("ssh", "ssh.exe")


def _helper_command(helper: str) -> str:
    """Give the command line that git makes of a credential helper."""
    if helper.startswith("!"):
        return helper.removeprefix("!")
    if PurePath(helper).is_absolute():
        return helper
    return f"git credential-{helper}"


def render_remote_settings(settings: Iterable[Setting]) -> str:
    """Write settings as a file of git's."""
    text = ""
    for key, value in settings:
        heading, _, rest = key.partition(".")
        subsection, dot, name = rest.rpartition(".")
        if dot:
            heading += f" {quote_value(subsection)}"
        quoted = quote_value(value)
        text += f"[{heading}]\n\t{name} = {quoted}\n"
    return text


def quote_value(text: str) -> str:
    """Quote a value or a subsection as git's files do."""
    escaped = text.replace("\\", "\\\\")
    escaped = escaped.replace('"', '\\"')
    escaped = escaped.replace("\n", "\\n")
    return f'"{escaped}"'

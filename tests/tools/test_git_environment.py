"""The environment and the settings that git runs with."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from shipway.errors import ContextError
from shipway.tools import git_environment
from shipway.tools.git_environment import LOCAL_VARIABLES, close_environment

CONF = Path(git_environment.__file__).with_name("git.conf")
HEADER = "http.https://github.com/.extraheader"
REACHING = """
    GIT_ALLOW_PROTOCOL GIT_ASKPASS GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM GIT_CONFIG_SYSTEM
    GIT_CURL_FTP_NO_EPSV GIT_EXEC_PATH GIT_HTTP_LOW_SPEED_LIMIT GIT_HTTP_LOW_SPEED_TIME
    GIT_HTTP_MAX_REQUESTS GIT_HTTP_PROXY_AUTHMETHOD GIT_HTTP_USER_AGENT GIT_PROTOCOL_FROM_USER
    GIT_PROXY_COMMAND GIT_PROXY_SSL_CAINFO GIT_PROXY_SSL_CERT
    GIT_PROXY_SSL_CERT_PASSWORD_PROTECTED GIT_PROXY_SSL_KEY GIT_SMART_HTTP GIT_SSH
    GIT_SSH_COMMAND GIT_SSH_VARIANT GIT_SSL_CAINFO GIT_SSL_CAPATH GIT_SSL_CERT
    GIT_SSL_CERT_PASSWORD_PROTECTED GIT_SSL_CIPHER_LIST GIT_SSL_KEY GIT_SSL_NO_VERIFY
    GIT_SSL_VERSION GIT_TERMINAL_PROMPT GIT_USER_AGENT GIT_NO_LAZY_FETCH
""".split()
"""Variables that say where git and its settings are, and how a remote is reached."""
IDLE = """
    GIT_ALLOC_LIMIT GIT_BASENAME_FACTOR GIT_CHERRY_PICK_HELP GIT_DIFFTOOL_DIRDIFF
    GIT_DIFFTOOL_EXTCMD GIT_DIFFTOOL_TRUST_EXIT_CODE GIT_EXT_SERVICE GIT_EXT_SERVICE_NOPREFIX
    GIT_FORCE_THREADS GIT_MAN_VIEWER GIT_MERGETOOL_GUI GIT_MMAP_LIMIT GIT_OVERRIDE_VIRTUAL_HOST
    GIT_PROGRESS_DELAY GIT_TEXTDOMAINDIR
""".split()
"""Variables that change nothing which shipway reads or writes."""


def git_config(environment: dict[str, str], *words: str) -> str:
    """Ask git for a setting in an environment and no repository."""
    done = subprocess.run(
        ("git", "config", *words),
        env={"PATH": os.environ["PATH"], **environment},
        cwd="/",
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def read_given(environment: dict[str, str]) -> set[tuple[str, str]]:
    """Read the settings that an environment gives by number, without the closed list."""
    count = int(environment["GIT_CONFIG_COUNT"])
    pairs = {
        (environment[f"GIT_CONFIG_KEY_{number}"], environment[f"GIT_CONFIG_VALUE_{number}"])
        for number in range(count)
    }
    return pairs - {("include.path", str(CONF))}


def numbered(*settings: tuple[str, str]) -> dict[str, str]:
    """Give settings by number, as git-config(1) says."""
    environment = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        environment[f"GIT_CONFIG_KEY_{number}"] = key
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


class TestVariables:
    """Which variables git is given."""

    @pytest.mark.process
    def test_every_variable_that_the_installed_git_knows_is_decided_on(self) -> None:
        folder = subprocess.run(
            ("git", "--exec-path"), check=True, capture_output=True, text=True
        ).stdout.strip()
        known: set[str] = set()
        for program in ("git", "git-remote-http"):
            words = re.findall(rb"\0(GIT_[A-Z0-9_]+)\0", (Path(folder) / program).read_bytes())
            known.update(word.decode() for word in words)
        known -= {"GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"}  # names for `git var`
        assert len(known) > 100
        left = close_environment(dict.fromkeys(known - LOCAL_VARIABLES, "x"))
        kept = {name for name in known if left.get(name) == "x"}
        assert kept <= {*REACHING, *IDLE}
        assert {name for name in REACHING if name in known} <= kept

    @pytest.mark.parametrize(
        "name",
        [
            "GIT_AUTHOR_DATE",
            "GIT_COMMITTER_EMAIL",
            "GIT_DEFAULT_HASH",
            "GIT_DEFAULT_REF_FORMAT",
            "GIT_DIR",
            "GIT_LFS_SKIP_SMUDGE",
            "GIT_NAMESPACE",
            "GIT_PYTHON_GIT_EXECUTABLE",
            "GIT_TRACE_CURL",
            "GIT_WORK_TREE",
        ],
    )
    def test_what_shapes_an_answer_is_left_out(self, name: str) -> None:
        assert close_environment({name: "x"}) == close_environment({})

    @pytest.mark.parametrize("name", ["GIT_AUTH_TOKEN", "GIT_BRANCH", "GIT_COMMIT", "GIT_URL"])
    def test_what_others_named_like_variables_of_git_stays(self, name: str) -> None:
        assert close_environment({name: "x"})[name] == "x"

    def test_what_is_read_is_in_english(self) -> None:
        assert close_environment({"LC_ALL": "de_DE.UTF-8"})["LC_ALL"] == "C"

    def test_it_is_closed_once(self) -> None:
        given = {**numbered(("safe.directory", "/x"), (HEADER, "A: b")), "HOME": "/nowhere"}
        closed = close_environment(given)
        assert close_environment(closed) == closed


@pytest.mark.process
class TestSettings:
    """Which settings git is given."""

    def test_the_closed_list_outweighs_everybody(self, tmp_path: Path) -> None:
        user = tmp_path / "gitconfig"
        user.write_text("[core]\n\tautocrlf = true\n")
        environment = close_environment({"GIT_CONFIG_GLOBAL": str(user)})
        assert git_config(environment, "core.autocrlf") == "false"

    def test_every_setting_of_the_list_is_said_once(self) -> None:
        keys = git_config({}, "--file", str(CONF), "--list", "--name-only").split()
        assert len(keys) == len(set(keys)) > 60

    def test_trust_goes_on_for_every_command(self) -> None:
        closed = close_environment(numbered(("safe.directory", "/x"), ("core.eol", "crlf")))
        assert read_given(closed) == {("safe.directory", "/x")}
        assert git_config(closed, "--get-all", "safe.directory") == "/x"
        assert git_config(closed, "core.eol") == "lf"

    def test_what_reaches_a_remote_goes_on_apart(self) -> None:
        closed = close_environment(numbered((HEADER, "AUTHORIZATION: it's !a 'secret'")))
        assert not read_given(closed)
        assert git_config(closed, HEADER) == "AUTHORIZATION: it's !a 'secret'"

    @pytest.mark.parametrize("spelling", ["'http.proxy'='p=1'", "'http.proxy=p=1'"])
    def test_settings_of_a_git_around_go_on(self, spelling: str) -> None:
        closed = close_environment({"GIT_CONFIG_PARAMETERS": f"{spelling} 'core.bare' 'a.b'="})
        assert git_config(closed, "http.proxy") == "p=1"
        assert closed["GIT_CONFIG_PARAMETERS"] == "'http.proxy'='p=1'"

    def test_what_git_hands_on_is_read(self, tmp_path: Path) -> None:
        script = tmp_path / "git-told"
        script.write_text('#!/bin/sh\nprintf %s "$GIT_CONFIG_PARAMETERS"\n')
        script.chmod(0o755)
        key = "url.https://a'b/!1.insteadof"
        told = subprocess.run(
            ("git", "-c", f"{key}=it's", "-c", "http.sslVerify", "told"),
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        closed = close_environment({"GIT_CONFIG_PARAMETERS": told})
        assert git_config(closed, "--bool", "http.sslVerify") == "true"
        assert git_config(closed, key) == "it's"

    @pytest.mark.parametrize(
        "given",
        [
            {"GIT_CONFIG_COUNT": "many"},
            {"GIT_CONFIG_COUNT": "1"},
            {"GIT_CONFIG_COUNT": "99999999"},
            {"GIT_CONFIG_PARAMETERS": "core.eol=lf"},
        ],
    )
    def test_what_git_would_not_understand_is_an_error(self, given: dict[str, str]) -> None:
        with pytest.raises(ContextError, match="make no sense"):
            close_environment(given)

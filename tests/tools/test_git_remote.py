"""Which settings a clone is given to reach what the checkout reaches."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from shipway.tools.git_environment import Setting, read_list
from shipway.tools.git_remote import (
    Remote,
    anchor_variables,
    carry_settings,
    find_address,
    render_remote_settings,
)

REMOTE = Remote(name="origin", address="git@host:toy.git", top="/a b", has_token=False)
HTTPS = "https://github.com/acme/toy.git"
WITH_TOKEN = Remote(name="origin", address=HTTPS, top="/a b", has_token=True)
MIRROR = ("remote.origin.mirror", "false")
LOGIN = ("http.https://github.com/.extraheader", "AUTHORIZATION: basic c2VjcmV0")


def carried(*checkout: Setting, clone: tuple[Setting, ...] = ()) -> list[Setting]:
    """Give what is carried, without what every clone is told."""
    first, *rest = carry_settings(checkout, clone, REMOTE)
    assert first == MIRROR
    return rest


@pytest.mark.parametrize(
    "setting",
    [
        LOGIN,
        ("core.askpass", "askpass"),
        ("core.askpass", "/bin/askpass"),
        ("core.gitproxy", "gate for example.org"),
        ("credential.https://host.username", "ann"),
        ("credential.usehttppath", "true"),
        ("http.https://host/.proxy", "http://proxy:3128"),
        ("http.sslcainfo", "~/ca.pem"),
        ("http.sslcert", "pkcs11:object=x"),
        ("http.sslverify", "true"),
        ("protocol.ext.allow", "always"),
        ("remote.origin.proxy", "proxy"),
        ("remote.origin.pushurl", "git@host:push.git"),
        ("remote.origin.receivepack", "/opt/git-receive-pack"),
        ("remote.origin.url", "git@host:toy.git"),
        ("remote.origin.url", "/srv/toy.git"),
        ("remote.origin.url", "file:///srv/toy.git"),
        ("ssh.variant", "plink"),
        ("url.git@host:.insteadof", "host:"),
        ("url.git@host:.pushinsteadof", "https://host/"),
    ],
)
def test_what_says_how_to_reach_it_is_carried_as_it_is(setting: Setting) -> None:
    assert carried(setting) == [setting]


@pytest.mark.parametrize(
    ("key", "value", "there"),
    [
        ("core.askpass", "bin/askpass", "/a b/bin/askpass"),
        ("core.sshcommand", "my-ssh -i key", "cd '/a b' && my-ssh -i key"),
        ("credential.helper", "store --file x", "!cd '/a b' && git credential-store --file x"),
        ("credential.https://h.helper", "!f() { :; }; f", "!cd '/a b' && f() { :; }; f"),
        ("credential.helper", "/bin/helper", "!cd '/a b' && /bin/helper"),
        ("credential.helper", "", ""),
        ("http.sslcainfo", "ca.pem", "/a b/ca.pem"),
        ("http.https://h/.sslkey", "keys/k", "/a b/keys/k"),
        ("http.proxysslcert", "c", "/a b/c"),
        ("remote.origin.url", "../toy.git", "/a b/../toy.git"),
        ("remote.origin.pushurl", "./x:y", "/a b/x:y"),
    ],
)
def test_paths_begin_where_the_checkout_is(key: str, value: str, there: str) -> None:
    assert carried((key, value)) == [(key, there)]


@pytest.mark.parametrize(
    "setting",
    [
        ("branch.main.remote", "origin"),
        ("core.worktree", "/elsewhere"),
        ("extensions.worktreeconfig", "true"),
        ("http2.x", "y"),
        ("include.path", "/file"),
        ("remote.origin.fetch", "+refs/*:refs/*"),
        ("remote.origin.push", "HEAD"),
        ("remote.other.pushurl", "git@host:other.git"),
        ("remote.origin.x.url", "git@host:other.git"),
        ("user.name", "Ann"),
    ],
)
def test_nothing_else_is(setting: Setting) -> None:
    assert not carried(setting)


def test_what_the_clone_sees_anyway_is_not_said_twice() -> None:
    mine = ("credential.helper", "store")
    assert carried(mine, ("credential.helper", ""), mine, clone=(mine,)) == [
        ("credential.helper", ""),
        ("credential.helper", "!cd '/a b' && git credential-store"),
    ]


def test_a_token_that_was_given_for_the_run_is_the_only_login() -> None:
    gate = ("http.extraheader", "X-Gate: open")
    _, helper, *rest = carry_settings((LOGIN, gate), (), WITH_TOKEN)
    assert helper[0] == "credential.https://github.com.helper" and rest == [gate]


def test_a_token_goes_to_no_other_address() -> None:
    plain = Remote(name="origin", address="http://host/toy.git", top="/", has_token=True)
    assert list(carry_settings((), (), plain)) == [MIRROR]
    address = "https://ann:secret@host:8443/toy.git"
    login = Remote(name="origin", address=address, top="/", has_token=True)
    _, (key, helper) = carry_settings((), (), login)
    assert key == "credential.https://host:8443.helper" and "secret" not in helper


def test_openssh_is_still_taken_for_it() -> None:
    assert carried(("core.sshcommand", "/usr/bin/ssh -i key"))[0] == ("ssh.variant", "ssh")
    chosen = ("ssh.variant", "plink")
    assert carried(("core.sshcommand", "ssh"), chosen)[1:] == [chosen]
    assert anchor_variables({"GIT_SSH_COMMAND": "ssh -i key"}, "/a b") == {
        "GIT_SSH_COMMAND": "cd '/a b' && ssh -i key",
        "GIT_SSH_VARIANT": "ssh",
    }


@pytest.mark.parametrize(
    ("name", "value", "there"),
    [
        ("GIT_ASKPASS", "./askpass", "/a b/askpass"),
        ("GIT_ASKPASS", "askpass", "askpass"),
        ("GIT_ASKPASS", "/bin/askpass", "/bin/askpass"),
        ("GIT_CONFIG_GLOBAL", "ci/gitconfig", "/a b/ci/gitconfig"),
        ("GIT_CONFIG_GLOBAL", "", ""),
        ("GIT_SSH", "tools/ssh", "/a b/tools/ssh"),
        ("GIT_SSH_COMMAND", "it's", "cd '/a b' && it's"),
        ("GIT_SSH_VARIANT", "simple", "simple"),
        ("GIT_SSL_CAINFO", "ca.pem", "/a b/ca.pem"),
        ("HOME", "home", "home"),
    ],
)
def test_variables_mean_the_same_in_every_folder(name: str, value: str, there: str) -> None:
    assert anchor_variables({name: value}, "/a b") == {name: there}


def test_an_address_is_the_first_one() -> None:
    settings = (("remote.x.url", "a"), ("remote.origin.url", "b"), ("remote.origin.url", "c"))
    assert find_address(settings, "origin") == "b" and not find_address(settings, "y")


@pytest.mark.process
def test_git_reads_what_was_written(tmp_path: Path) -> None:
    from git import GitConfigParser

    settings = (
        ('http.https://a"b\\c/#;.extraheader', 'X: "q" \\ # ; é\t!'),
        ("url.https://[::1]:8080/.insteadof", " spaces "),
        ("remote.a.b.url", "x"),
        ("ssh.variant", "two\nlines"),
        *carry_settings((), (), WITH_TOKEN),
    )
    file = tmp_path / "remote.conf"
    file.write_text(render_remote_settings(settings), encoding="utf-8")
    told = subprocess.run(
        ("git", "config", "--list", "-z", "--file", str(file)),
        env={"PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert read_list(told.stdout) == settings
    with GitConfigParser(str(file), read_only=True) as parser:
        assert parser.get('remote "origin"', "mirror") == "false"


def test_settings_without_a_value_are_on() -> None:
    assert read_list("a.b\0c.d\n\0") == (("a.b", "true"), ("c.d", ""))
    assert not read_list("")

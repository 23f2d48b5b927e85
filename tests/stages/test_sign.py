"""The stage `sign`."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from shipway.effects.processes import Processes
from shipway.errors import ContextError
from shipway.model.actions import Answer, Command
from shipway.model.stage import State
from shipway.model.target import Signing, Target
from shipway.model.world import World
from shipway.stages import sign
from shipway.tools import cosign
from tests.support.conversation import NO_BUNDLES, talk
from tests.support.good_image import INDEX


class TestSign:
    """Signing."""

    def test_a_key(self, target: Target) -> None:
        command = sign.sign_command(target, INDEX.digest)
        assert command.argv == (
            "cosign",
            "sign",
            "--yes",
            "--key",
            "cosign.key",
            "--tlog-upload=false",
            f"{target.image}@{INDEX.digest}",
        )
        assert command.secrets == ("COSIGN_PASSWORD",)

    def test_a_key_without_a_log_on_cosign_3(self, target: Target) -> None:
        modern = replace(target, signing=replace(target.signing, modern=True, config="none.json"))
        command = sign.sign_command(modern, INDEX.digest)
        assert (
            command.argv[5:7] == ("--signing-config", "none.json")
            and "--tlog-upload=false" not in command.argv
        )

    def test_keyless_on_cosign_3_has_no_flag_of_cosign_2(self, target: Target) -> None:
        keyless = Signing(
            identity="me@example.org",
            issuer="https://issuer.example",
            transparency_log=False,
            modern=True,
            trusted_root="root.json",
        )
        command = sign.sign_command(replace(target, signing=keyless), INDEX.digest)
        assert "--tlog-upload=false" not in command.argv and command.argv[3:5] == (
            "--trusted-root",
            "root.json",
        )
        older = sign.sign_command(
            replace(target, signing=replace(keyless, modern=False)), INDEX.digest
        )
        assert "--tlog-upload=false" in older.argv and "--trusted-root" not in older.argv
        verified = cosign.verify_command(replace(target, signing=keyless), INDEX.digest).argv
        assert verified[7:11] == (
            "--trusted-root",
            "root.json",
            "--insecure-ignore-tlog=true",
            "--use-signed-timestamps=true",
        )

    def test_leaves_side_by_side_and_the_index_when_they_are_signed(self, target: Target) -> None:
        *leaves, index = INDEX.leaves_first
        seen = sign.plan(target, World(index=INDEX, signed=frozenset(leaves[:1])))
        assert [
            one.argv[-1].partition("@")[2] for one in seen if isinstance(one, Command)
        ] == leaves[1:]
        assert all(isinstance(one, Command) and one.side_by_side for one in seen)
        (last,) = sign.plan(target, World(index=INDEX, signed=frozenset(leaves)))
        assert isinstance(last, Command) and last.argv[-1].endswith(index)

    def test_nobody_is_waited_for(self, target: Target) -> None:
        keyless = replace(target, signing=Signing(identity="me"))
        with pytest.raises(ContextError, match="would wait for somebody") as caught:
            Processes({"PATH": os.environ["PATH"]})(sign.sign_command(keyless, INDEX.digest))
        assert "id-token: write" in caught.value.hint
        asked = replace(target, signing=Signing(identity="me", browser=True))
        assert (
            not sign.sign_command(asked, INDEX.digest).needs
            and sign.sign_command(asked, INDEX.digest).live
        )

    def test_signatures_are_counted(self, target: Target) -> None:
        said = [Answer(code=0, out="[{}, {}]"), Answer(code=0, out="[{}]"), Answer(code=10)]
        world = talk(
            sign.observe(target, World(index=INDEX)),
            tuple((said * 2)[number % 3] for number in range(len(INDEX.leaves_first))),
            (NO_BUNDLES,),
        )
        count = sum((2, 1, 0)[number % 3] for number in range(len(INDEX.leaves_first)))
        assert (
            world.signatures == count
            and f"{count} signatures" in sign.judge(target, world).evidence
        )

    def test_keyless_in_actions_names_the_provider_so_that_nothing_hangs(
        self, target: Target
    ) -> None:
        keyless = replace(
            target,
            builder="https://run.example",
            signing=Signing(
                identity="https://github.com/acme/toy/.github/workflows/release.yml@refs/heads/main",
                issuer="https://token.example",
                repository="acme/toy",
                ref="refs/heads/main",
            ),
        )
        command = sign.sign_command(keyless, INDEX.digest)
        assert command.argv[3:5] == ("--oidc-provider", "github-actions")
        assert "ACTIONS_ID_TOKEN_REQUEST_TOKEN" in command.secrets
        verified = cosign.verify_command(keyless, INDEX.digest).argv
        assert verified[verified.index("--certificate-identity") + 1].endswith(
            "release.yml@refs/heads/main"
        )
        assert "--certificate-github-workflow-repository" in verified and not [
            w for w in verified if "regexp" in w
        ]

    def test_an_exact_identity_needs_no_more(self, target: Target) -> None:
        exact = replace(
            target, signing=Signing(identity="me@example.org", issuer="https://issuer.example")
        )
        assert cosign.verify_command(exact, INDEX.digest).argv[3:7] == (
            "--certificate-identity",
            "me@example.org",
            "--certificate-oidc-issuer",
            "https://issuer.example",
        )
        assert sign.sign_command(exact, INDEX.digest).argv[:3] == ("cosign", "sign", "--yes")

    def test_no_image_is_nothing_signed(self, target: Target) -> None:
        world = talk(sign.observe(target, World()))
        assert sign.judge(target, world).state is State.ABSENT

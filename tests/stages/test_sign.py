"""The stage `sign`."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from shipway.effects.processes import Processes
from shipway.errors import ContextError
from shipway.model.actions import Answer, Command
from shipway.model.stage import State
from shipway.model.target import Signer, Target
from shipway.model.world import World
from shipway.stages import sign
from shipway.tools import cosign, cosign_signing
from tests.support.conversation import NO_BUNDLES, talk
from tests.support.cosign_lists import COSIGN_2, COSIGN_3, VULNERABILITIES, list_entries
from tests.support.good_image import INDEX
from tests.support.targets import change_settings


class TestSign:
    """Signing."""

    def test_a_key(self, target: Target) -> None:
        command = cosign_signing.sign(target, INDEX.digest)
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
        modern = change_settings(target, "sign", signing_config="none.json")
        modern = replace(modern, signer=replace(target.signer, has_signing_config=True))
        command = cosign_signing.sign(modern, INDEX.digest)
        assert (
            command.argv[5:7] == ("--signing-config", "none.json")
            and "--tlog-upload=false" not in command.argv
        )

    def test_keyless_on_cosign_3_has_no_flag_of_cosign_2(self, target: Target) -> None:
        keyless = Signer(
            identity="me@example.org",
            issuer="https://issuer.example",
            transparency_log=False,
            has_signing_config=True,
            trusted_root="root.json",
        )
        command = cosign_signing.sign(replace(target, signer=keyless), INDEX.digest)
        assert "--tlog-upload=false" not in command.argv and command.argv[3:5] == (
            "--trusted-root",
            "root.json",
        )
        old = replace(keyless, has_signing_config=False)
        older = cosign_signing.sign(replace(target, signer=old), INDEX.digest)
        assert "--tlog-upload=false" in older.argv and "--trusted-root" not in older.argv
        verified = cosign.verify_signature(target.image, keyless, INDEX.digest).argv
        assert verified[7:11] == (
            "--trusted-root",
            "root.json",
            "--insecure-ignore-tlog=true",
            "--use-signed-timestamps=true",
        )

    def test_one_leaf_then_leaves_side_by_side_and_the_index_when_they_are_signed(
        self, target: Target
    ) -> None:
        *leaves, index = INDEX.leaves_first
        (first,) = sign.plan(target, World(index=INDEX))
        assert isinstance(first, Command) and first.argv[-1].endswith(leaves[0])
        assert first.permanent
        actions = sign.plan(target, World(index=INDEX, signed=frozenset(leaves[:1])))
        commands = [action for action in actions if isinstance(action, Command)]
        assert [command.argv[-1].partition("@")[2] for command in commands] == leaves[1:]
        assert all(command.side_by_side for command in commands)
        assert len(commands) == len(actions)
        (last,) = sign.plan(target, World(index=INDEX, signed=frozenset(leaves)))
        assert isinstance(last, Command) and last.argv[-1].endswith(index)

    def test_nobody_is_waited_for(self, target: Target) -> None:
        keyless = replace(target, signer=Signer(identity="me"))
        with pytest.raises(ContextError, match="would wait for somebody") as caught:
            Processes({"PATH": os.environ["PATH"]})(cosign_signing.sign(keyless, INDEX.digest))
        assert "id-token: write" in caught.value.hint
        command = cosign_signing.sign(change_settings(keyless, "sign", browser=True), INDEX.digest)
        assert command.requires is None and command.live and not command.side_by_side

    def test_signatures_are_counted(self, target: Target) -> None:
        answers = [
            list_entries(COSIGN_3, VULNERABILITIES, COSIGN_3),
            list_entries(COSIGN_2),
            Answer(code=10),
        ]
        numbers = [number % 3 for number in range(len(INDEX.leaves_first))]
        listed = tuple(answers[number] for number in numbers)
        world = talk(sign.observe, target, World(index=INDEX), listed, (NO_BUNDLES,))
        count = sum((2, 1, 0)[number] for number in numbers)
        assert world.signatures == count
        assert f"{count} signatures" in sign.judge(target, world).evidence

    @pytest.mark.parametrize("key", ["cosign.key", ""], ids=["key", "keyless"])
    def test_what_is_only_attested_is_not_signed(self, target: Target, key: str) -> None:
        signer = replace(target.signer, key=key, identity="me", issuer="https://issuer.example")
        answers = tuple(list_entries(VULNERABILITIES) for _ in INDEX.leaves_first)
        target = replace(target, signer=signer)
        world = talk(sign.observe, target, World(index=INDEX), answers, (NO_BUNDLES,))
        assert not world.signed and not world.signatures
        assert sign.judge(target, world).state is State.ABSENT
        for holds, description in sign.describe_signers(world).values():
            assert not holds and description == f"no signature, only attested: {VULNERABILITIES}"

    def test_keyless_in_actions_names_the_provider_so_that_nothing_hangs(
        self, target: Target
    ) -> None:
        keyless = Signer(
            identity="https://github.com/acme/toy/.github/workflows/release.yml@refs/heads/main",
            issuer="https://token.example",
            repository="acme/toy",
            ref="refs/heads/main",
        )
        building = replace(target.build, run_url="https://run.example")
        asked = replace(target, build=building, signer=keyless)
        command = cosign_signing.sign(asked, INDEX.digest)
        assert command.argv[3:5] == ("--oidc-provider", "github-actions")
        assert "ACTIONS_ID_TOKEN_REQUEST_TOKEN" in command.secrets
        verified = cosign.verify_signature(target.image, keyless, INDEX.digest).argv
        assert verified[verified.index("--certificate-identity") + 1].endswith(
            "release.yml@refs/heads/main"
        )
        assert "--certificate-github-workflow-repository" in verified
        assert not [word for word in verified if "regexp" in word]

    def test_an_exact_identity_needs_no_more(self, target: Target) -> None:
        exact = Signer(identity="me@example.org", issuer="https://issuer.example")
        verified = cosign.verify_signature(target.image, exact, INDEX.digest).argv
        assert verified[3:7] == (
            "--certificate-identity",
            "me@example.org",
            "--certificate-oidc-issuer",
            "https://issuer.example",
        )
        command = cosign_signing.sign(replace(target, signer=exact), INDEX.digest)
        assert command.argv[:3] == ("cosign", "sign", "--yes")

    def test_no_image_is_nothing_signed(self, target: Target) -> None:
        world = talk(sign.observe, target, World())
        assert sign.judge(target, world).state is State.ABSENT

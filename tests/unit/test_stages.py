"""What each stage says to its tool, and how it reads the answers."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from shipway.contents import PROVENANCE, SPDX, Contents
from shipway.errors import ContextError, StepFailed, ToolMissing
from shipway.image import Entry, Index, parse_index
from shipway.labels import REVISION, VERSION, WORKFLOW_COMMIT
from shipway.model import Answer, Command, Published, Request, State, Target, World
from shipway.caches import Cache
from shipway.recipe import Building, Signing
from shipway import registry, signatures
from shipway.run.processes import Processes, failure
from shipway.stages import build, commit, document, inspect, promote, publish, sign, verify
from tests.unit.model_remotes import contents_of, digest_of, manifest

INDEX = parse_index(json.dumps(manifest("x", ("linux/amd64", "linux/arm64"))))


NO_BUNDLES = Answer(code=0, out="{}")


def talk(conversation: object, *rounds: tuple[Answer, ...]) -> World:
    """Answer a conversation round by round; gives the world that it ends with."""
    assert hasattr(conversation, "send")
    try:
        next(conversation)  # type: ignore[call-overload]
        for answers in rounds:
            conversation.send(answers)
    except StopIteration as end:
        world: World = end.value
        return world
    raise AssertionError("the conversation goes on")


class TestImages:
    """Reading indexes."""

    def test_entries_are_told_apart(self) -> None:
        assert INDEX.platforms == ("linux/amd64", "linux/arm64")
        assert [entry.subject for entry in INDEX.attestations] == [entry.digest for entry in INDEX.images]
        assert INDEX.leaves_first[-1] == INDEX.digest and len(INDEX.leaves_first) == 5
        assert not INDEX.imagined

    def test_arm64_is_the_same_machine_with_and_without_its_variant(self) -> None:
        text = json.dumps({"digest": digest_of("i"), "manifests": [
            {"digest": digest_of("a"), "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
            {"digest": digest_of("b"), "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}}]})
        assert parse_index(text).platforms == ("linux/arm64", "linux/arm/v7")

    def test_a_single_manifest_has_no_platforms(self) -> None:
        assert not parse_index(json.dumps({"digest": digest_of("i")})).platforms

    @pytest.mark.parametrize("text", ["{}", "[]", "not json"])
    def test_anything_else_is_an_error(self, text: str) -> None:
        with pytest.raises(ValueError):
            parse_index(text)


class TestBuildOfAnotherCommit:
    """Seven letters of a hash are not the hash."""

    def test_an_image_of_another_commit_is_a_conflict(self, target: Target) -> None:
        world = World(index=replace(INDEX, annotations={REVISION: "d" * 40}))
        found = build.judge(target, world)
        assert found.state is State.CONFLICT and "d" * 40 in found.evidence
        assert build.judge(target, World(index=replace(INDEX, annotations={REVISION: target.commit}))).state \
            is State.SAME


class TestRegistry:
    """"Could not ask" is never "not there"."""

    @pytest.mark.parametrize("said", ["ERROR: r.example/a:b: not found", "manifest unknown", "NAME_UNKNOWN: no repo"])
    def test_not_there(self, said: str) -> None:
        assert registry.read_index(Answer(code=1, err=said), "r.example/a:b") is None

    @pytest.mark.parametrize(("said", "hint"), [
        ("unexpected status: 401 Unauthorized", "docker login r.example"), ("denied: no access", "docker login"),
        ("503 Service Unavailable", "registry answers"), ("", "registry answers"),
        ("dial tcp: lookup r.example: no such host", "registry answers"),
    ])
    def test_could_not_ask(self, said: str, hint: str) -> None:
        with pytest.raises(StepFailed) as caught:
            registry.read_index(Answer(code=1, err=said), "r.example/a:b")
        assert hint in caught.value.hint and "r.example/a:b" in caught.value.message

    def test_an_answer_that_is_no_manifest(self) -> None:
        with pytest.raises(StepFailed, match="cannot be read"):
            registry.read_index(Answer(code=0, out="{}"), "r.example/a:b")


class TestBuild:
    """The build."""

    def test_the_command_for_every_platform(self, target: Target) -> None:
        command = build.build_command(replace(target, builder="https://github.com/acme/toy/actions/runs/1",
                                              build=replace(target.build, args=("--build-arg=A=1",),
                                                            secrets=("PIP_TOKEN",))))
        text = " ".join(command.argv)
        assert "--platform=linux/amd64,linux/arm64" in command.argv and "--sbom=true" in command.argv
        assert "--provenance=mode=max,version=v1,builder-id=https://github.com/acme/toy/actions/runs/1" in command.argv
        assert "name=registry.example/acme/toy:sha-ccccccc" in text and "latest" not in text
        assert "--annotation=index:org.opencontainers.image.version=1.2.3" in command.argv
        assert command.argv[-2:] == ("--build-arg=A=1", ".")
        assert command.env == {"SOURCE_DATE_EPOCH": "1700000000"} and command.secrets == ("PIP_TOKEN",)

    def test_the_command_for_this_machine_pushes_nothing(self, target: Target) -> None:
        command = build.build_command(target, push=False)
        assert command.effect == "local" and "--load" in command.argv
        assert not [word for word in command.argv if "push" in word or "--platform" in word]

    def test_a_cache_is_read_and_the_build_goes_on_without_it(self, target: Target) -> None:
        cache = Cache(reads=("type=local,src=c",), writes=("type=local,dest=c",))
        cached = replace(target, build=Building(cache=cache))
        command = build.build_command(cached)
        assert "--cache-from=type=local,src=c" in command.argv and "--cache-to=type=local,dest=c" in command.argv
        assert command.otherwise is not None and "--cache-from=type=local,src=c" not in command.otherwise[1]
        assert set(command.argv) - set(command.otherwise[1]) == {
            "--cache-from=type=local,src=c", "--cache-to=type=local,dest=c"}
        for said in ("failed to copy: GET http://x/blobs/1", "failed to compute cache key: failed to copy: GET x",
                     "short read: expected 3 bytes but got 1", "blob sha256:" + "0" * 64 + ": not found"):
            assert re.search(command.otherwise[0], f"ERROR: failed to build: failed to solve: {said}")
        assert not re.search(command.otherwise[0], 'process "/bin/sh -c false" did not complete successfully')
        assert build.build_command(target).otherwise is None

    def test_a_cache_that_would_be_dropped_without_a_word_is_an_error(self, target: Target) -> None:
        deaf = replace(target, build=Building(cache=Cache(lacks=("ACTIONS_RUNTIME_TOKEN",))))
        with pytest.raises(ContextError, match="needs ACTIONS_RUNTIME_TOKEN") as caught:
            build.plan(deaf, World())
        assert "github-script" in caught.value.hint

    @pytest.mark.parametrize(("said", "told"), [
        ("#5 [linux/amd64 a 1/3] FROM x\n#6 [linux/amd64 a 2/3] RUN y\n#6 CACHED\n#7 [a 3/3] COPY z\n#7 DONE 0.1s\n"
         "#2 [internal] load build definition\n#2 CACHED\n", "1 of 2 steps came from the cache"),
        ("", "no steps were run"),
    ])
    def test_what_came_from_the_cache(self, said: str, told: str) -> None:
        assert build.read_cached(Answer(code=0, err=said)) == told

    def test_a_builder_is_made_once(self, target: Target) -> None:
        commands = (("docker", "buildx", "create", "--name", "ours"),)
        farm = replace(target, build=Building(node="ours", node_commands=commands))
        absent, there = Answer(code=1, err="x: not found"), Answer(code=0, out="Name: ours\nPlatforms: linux/arm64*\n")
        world = talk(build.observe(farm, World()), (absent, absent), (Answer(code=1, err="no builder"),))
        made, built = build.plan(farm, world)
        assert isinstance(made, Command) and made.argv == commands[0]
        assert isinstance(built, Command) and "--builder=ours" in built.argv
        world = talk(build.observe(farm, World()), (absent, absent), (there,))
        assert len(build.plan(farm, world)) == 1 and world.nodes == {"ours": ("linux/arm64",)}
        assert "--builder=ours" in build.build_command(farm, push=False).argv

    def test_emulation_that_is_not_registered_is_named(self, target: Target) -> None:
        slow = replace(target, build=Building(strategy="emulated"))
        for platforms, lacking in (("linux/amd64", True), ("linux/amd64, linux/amd64/v2, linux/arm64", False)):
            world = talk(build.observe(slow, World()), (Answer(code=1, err="x: not found"),) * 2,
                         (Answer(code=0, out=f"Platforms:        {platforms}\n"),))
            if lacking:
                with pytest.raises(ToolMissing, match="no emulation of linux/arm64") as caught:
                    build.plan(slow, world)
                assert "tonistiigi/binfmt" in caught.value.hint
            else:
                assert build.plan(slow, world)

    def test_images_of_one_platform_are_merged(self, target: Target) -> None:
        merged = replace(target, parts=(digest_of("a"), digest_of("b")))
        absent = Answer(code=1, err="x: not found")
        (command,) = build.plan(merged, talk(build.observe(merged, World()), (absent, absent)))
        assert isinstance(command, Command)
        assert command.argv[:6] == ("docker", "buildx", "imagetools", "create", "--tag",
                                    "registry.example/acme/toy:sha-ccccccc")
        assert "--annotation=index:org.opencontainers.image.version=1.2.3" in command.argv
        assert command.argv[-2:] == tuple(f"{target.image}@{digest}" for digest in merged.parts)

    def test_the_sbom_generator_of_the_settings(self, target: Target) -> None:
        own = replace(target, build=Building(sbom="scanner@sha256:0"))
        assert "--attest=type=sbom,generator=scanner@sha256:0" in build.build_command(own).argv

    def test_an_image_that_lacks_a_platform_is_built_again(self, target: Target) -> None:
        half = parse_index(json.dumps(manifest("x", ("linux/amd64",))))
        finding = build.judge(target, World(index=half))
        assert finding.state is State.ABSENT and "lacks linux/arm64" in finding.evidence

    def test_the_index_names_the_commit_that_the_workflow_ran_on(self, target: Target) -> None:
        noted = f"--annotation=index:{WORKFLOW_COMMIT}=5eed"
        started = replace(target, build=Building(started="5eed"), parts=(INDEX.digest,))
        assert noted in build.build_command(started).argv and noted in build.merge_command(started).argv
        assert noted not in build.build_command(started, push=False).argv
        assert WORKFLOW_COMMIT not in " ".join(build.build_command(target).argv)

    def test_every_stand_in_can_be_looked_up_after_the_build(self, target: Target) -> None:
        world = build.settle(target, World())
        assert world.index is not None and world.index.imagined
        known = {f"sha256:{variable}" for variable, _ in build.name_digests(target)}
        assert known == set(world.index.leaves_first)


class TestSign:
    """Signing and asking for signatures."""

    def test_a_key(self, target: Target) -> None:
        command = sign.sign_command(target, INDEX.digest)
        assert command.argv == ("cosign", "sign", "--yes", "--key", "cosign.key", "--tlog-upload=false",
                                f"{target.image}@{INDEX.digest}")
        assert command.secrets == ("COSIGN_PASSWORD",)

    def test_a_key_without_a_log_on_cosign_3(self, target: Target) -> None:
        modern = replace(target, signing=replace(target.signing, modern=True, config="none.json"))
        command = sign.sign_command(modern, INDEX.digest)
        assert command.argv[5:7] == ("--signing-config", "none.json") and "--tlog-upload=false" not in command.argv

    def test_keyless_on_cosign_3_has_no_flag_of_cosign_2(self, target: Target) -> None:
        keyless = Signing(identity="me@example.org", issuer="https://issuer.example", transparency_log=False,
                          modern=True, trusted_root="root.json")
        command = sign.sign_command(replace(target, signing=keyless), INDEX.digest)
        assert "--tlog-upload=false" not in command.argv and command.argv[3:5] == ("--trusted-root", "root.json")
        older = sign.sign_command(replace(target, signing=replace(keyless, modern=False)), INDEX.digest)
        assert "--tlog-upload=false" in older.argv and "--trusted-root" not in older.argv
        verified = signatures.verify_command(replace(target, signing=keyless), INDEX.digest).argv
        assert verified[7:11] == ("--trusted-root", "root.json", "--insecure-ignore-tlog=true",
                                  "--use-signed-timestamps=true")

    def test_leaves_side_by_side_and_the_index_when_they_are_signed(self, target: Target) -> None:
        *leaves, index = INDEX.leaves_first
        seen = sign.plan(target, World(index=INDEX, signed=frozenset(leaves[:1])))
        assert [one.argv[-1].partition("@")[2] for one in seen if isinstance(one, Command)] == leaves[1:]
        assert all(isinstance(one, Command) and one.side_by_side for one in seen)
        (last,) = sign.plan(target, World(index=INDEX, signed=frozenset(leaves)))
        assert isinstance(last, Command) and last.argv[-1].endswith(index)

    def test_nobody_is_waited_for(self, target: Target) -> None:
        keyless = replace(target, signing=Signing(identity="me"))
        with pytest.raises(ContextError, match="would wait for somebody") as caught:
            Processes({"PATH": os.environ["PATH"]})(sign.sign_command(keyless, INDEX.digest))
        assert "id-token: write" in caught.value.hint
        asked = replace(target, signing=Signing(identity="me", browser=True))
        assert not sign.sign_command(asked, INDEX.digest).needs and sign.sign_command(asked, INDEX.digest).live

    def test_signatures_are_counted(self, target: Target) -> None:
        said = [Answer(code=0, out="[{}, {}]"), Answer(code=0, out="[{}]"), Answer(code=10)]
        world = talk(sign.observe(target, World(index=INDEX)),
                     tuple((said * 2)[number % 3] for number in range(len(INDEX.leaves_first))), (NO_BUNDLES,))
        count = sum((2, 1, 0)[number % 3] for number in range(len(INDEX.leaves_first)))
        assert world.signatures == count and f"{count} signatures" in sign.judge(target, world).evidence

    def test_every_fact_that_is_known_is_pinned(self, target: Target) -> None:
        pinned = Signing(identity="i", issuer="j", repository="acme/toy", ref="refs/heads/main", commit="c",
                         trigger="push")
        argv = signatures.verify_command(replace(target, signing=pinned), INDEX.digest).argv
        for name, value in (("repository", "acme/toy"), ("ref", "refs/heads/main"), ("sha", "c"), ("trigger", "push")):
            assert argv[argv.index(f"--certificate-github-workflow-{name}") + 1] == value

    @pytest.mark.parametrize(("answer", "seen"), [
        (Answer(code=0, out='[{"optional": {"githubWorkflowSha": "5eed", "githubWorkflowTrigger": "push"}}]'),
         "signed by me, commit 5eed, trigger push"),
        (Answer(code=0, out='[{"optional": {}}]'), "signed by me"), (Answer(code=0, out="\n"), "signed by me"),
        (Answer(code=12, err="WARNING: x\nError: none of the expected\n"), "none of the expected"),
        (Answer(code=10), "missing"),
    ])
    def test_what_is_seen_of_a_signature(self, target: Target, answer: Answer, seen: str) -> None:
        assert signatures.read_signer(replace(target, signing=Signing(identity="me")), answer) == seen

    def test_keyless_in_actions_names_the_provider_so_that_nothing_hangs(self, target: Target) -> None:
        keyless = replace(target, builder="https://run.example", signing=Signing(
            identity="https://github.com/acme/toy/.github/workflows/release.yml@refs/heads/main",
            issuer="https://token.example", repository="acme/toy", ref="refs/heads/main"))
        command = sign.sign_command(keyless, INDEX.digest)
        assert command.argv[3:5] == ("--oidc-provider", "github-actions")
        assert "ACTIONS_ID_TOKEN_REQUEST_TOKEN" in command.secrets
        verified = signatures.verify_command(keyless, INDEX.digest).argv
        assert verified[verified.index("--certificate-identity") + 1].endswith("release.yml@refs/heads/main")
        assert "--certificate-github-workflow-repository" in verified and not [w for w in verified if "regexp" in w]

    def test_an_exact_identity_needs_no_more(self, target: Target) -> None:
        exact = replace(target, signing=Signing(identity="me@example.org", issuer="https://issuer.example"))
        assert signatures.verify_command(exact, INDEX.digest).argv[3:7] == (
            "--certificate-identity", "me@example.org", "--certificate-oidc-issuer", "https://issuer.example")
        assert sign.sign_command(exact, INDEX.digest).argv[:3] == ("cosign", "sign", "--yes")

    @pytest.mark.parametrize(("answer", "signed"), [
        (Answer(code=0), True), (Answer(code=10, err="no signatures found"), False),
        (Answer(code=12, err="none"), False), (Answer(code=1, err="Error: no matching signatures: …"), False),
    ])
    def test_answers(self, answer: Answer, signed: bool) -> None:
        assert signatures.read_signed(answer, INDEX.digest) is signed

    @pytest.mark.parametrize("kind", [signatures.SIGNATURE, SPDX])
    def test_nothing_is_found_only_where_the_registry_has_nothing(self, target: Target, kind: str) -> None:
        *leaves, index = INDEX.leaves_first
        nothing = Answer(code=1, err="no matching attestations: \nerror during …") if kind == SPDX else Answer(
            code=10, err="no signatures found")
        asked = {(digest, kind): signatures.verify_command(target, digest) for digest in (leaves[0], index)}
        held = Answer(code=0, out=json.dumps({leaves[0]: [], index: ["https://example.org/other", kind]}))

        def settle(*rounds: tuple[Answer, ...]) -> dict[signatures.Question, Answer]:
            talk = signatures.ask(target, asked)
            questions = next(talk)
            with pytest.raises(StopIteration) as end:
                for answers in rounds:
                    assert len(questions) == len(answers)
                    questions = talk.send(answers)
            found: dict[signatures.Question, Answer] = end.value.value
            return found

        good, foreign = Answer(code=0, out="[{}]"), Answer(code=1, err="no matching attestations: failed to verify")
        assert settle((good, good)) == dict.fromkeys(asked, good)
        assert settle((good, nothing), (NO_BUNDLES,))[index, kind] == nothing
        assert settle((nothing, nothing), (held,), (good,)) == {(leaves[0], kind): nothing, (index, kind): good}
        assert settle((good, foreign), (held,), (foreign,))[index, kind] == foreign
        with pytest.raises(StepFailed, match=f"could not ask whether {index} is signed") as caught:
            settle((nothing, nothing), (held,), (nothing,))
        assert "cosign 3" in caught.value.hint

    def test_an_answer_about_bundles_that_is_none(self) -> None:
        for said in ("", "[]", '{"sha256:a": 1}'):
            with pytest.raises(StepFailed, match="cannot be understood"):
                signatures.read_bundles(Answer(code=0, out=said))

    @pytest.mark.parametrize("said", ["503 Service Unavailable", ""])
    def test_could_not_ask(self, said: str) -> None:
        with pytest.raises(StepFailed, match="could not ask whether"):
            signatures.read_signed(Answer(code=1, err=said), INDEX.digest)

    def test_no_image_is_nothing_signed(self, target: Target) -> None:
        world = talk(sign.observe(target, World()))
        assert sign.judge(target, world).state is State.ABSENT


LABELS = {"org.opencontainers.image.version": "1.2.3", "org.opencontainers.image.revision": "c" * 40}
CONTENTS = contents_of(INDEX, LABELS)


def changed(name: str, **changes: object) -> Contents:
    """A good image with changes to one platform."""
    return msgspec.structs.replace(CONTENTS, platforms={
        **CONTENTS.platforms, name: msgspec.structs.replace(CONTENTS.platforms[name], **changes)})


def stated(kind: str, **changes: object) -> Contents:
    """A good image with changes to each statement of a kind."""
    return msgspec.structs.replace(CONTENTS, attestations=tuple(
        msgspec.structs.replace(one, statements=tuple(
            msgspec.structs.replace(statement, **changes) if statement.type.startswith(kind) else statement
            for statement in one.statements)) for one in CONTENTS.attestations))


class TestInspect:
    """What was built is what was meant."""

    def faults(self, target: Target, contents: Contents) -> str:
        answer = Answer(code=0, out=msgspec.json.encode(contents).decode())
        world = talk(inspect.observe(target, World(index=INDEX)), (answer,))
        finding = inspect.judge(target, world)
        return finding.evidence if finding.state is State.FAULT else ""

    def test_a_good_image_is_read_once(self, target: Target) -> None:
        assert self.faults(target, CONTENTS) == ""
        known = World(index=INDEX, contents=CONTENTS)
        assert talk(inspect.observe(target, known)) is known
        assert "4 compiled files" in inspect.judge(target, known).evidence

    @pytest.mark.parametrize(("contents", "said"), [
        (changed("linux/arm64", foreign=("deps/a.so", "deps/b.so")),
         "compiled files of linux/arm64: deps/a.so, deps/b.so are for another machine"),
        (changed("linux/arm64", foreign=tuple(f"{n}.so" for n in range(7))), "4.so and 2 more are for another machine"),
        (changed("linux/amd64", labels={REVISION: "c" * 40}),
         "labels of linux/amd64: differ: org.opencontainers.image.version is missing"),
        (changed("linux/amd64", distributions=(("package.0", "1.0"), ("Other_Thing", "2"))),
         "SBOM of linux/amd64 names what is installed: it leaves out Other_Thing 2"),
        (changed("linux/amd64", distributions=(("package-0", "1.1"),)), "leaves out package-0 1.1"),
        (msgspec.structs.replace(CONTENTS, annotations={}), "annotations: differ"),
        (msgspec.structs.replace(CONTENTS, attestations=()), "SBOM of linux/amd64: 0 packages"),
        (msgspec.structs.replace(CONTENTS, attestations=()), "provenance of linux/arm64: missing"),
        (msgspec.structs.replace(CONTENTS, attestations=()), "subjects of linux/arm64: statements about nothing"),
        (stated(SPDX, packages=()), "SBOM of linux/arm64: 0 packages"),
        (stated(PROVENANCE, build={}), "provenance of linux/amd64: missing"),
        (stated(PROVENANCE, subjects=("sha256:0",)), "subjects of linux/amd64: statements about sha256:0"),
        (stated(SPDX, subjects=()), "subjects of linux/amd64: statements about nothing"),
    ])
    def test_each_fault_is_named(self, target: Target, contents: Contents, said: str) -> None:
        assert said in self.faults(target, contents)

    def test_files_for_another_machine_can_be_meant(self, target: Target) -> None:
        contents = changed("linux/arm64", foreign=("opt/firmware/boot",))
        for pattern, holds in (("opt/firmware/*", True), ("opt/*.so", False)):
            found = self.faults(replace(target, build=Building(allow_foreign=(pattern,))), contents)
            assert ("opt/firmware/boot" not in found) is holds

    def test_an_answer_that_is_none(self, target: Target) -> None:
        with pytest.raises(StepFailed, match="cannot be understood"):
            talk(inspect.observe(target, World(index=INDEX)), (Answer(code=0, out="{}"),))

    def test_nothing_to_read_yet(self, target: Target) -> None:
        assert inspect.judge(target, talk(inspect.observe(target, World()))).state is State.ABSENT


class TestVerify:
    """The strict verification: what is missing is a fault."""

    def faults(self, target: Target, *, index: Index = INDEX, unsigned: str = "", tag: str = "",
               contents: Contents = CONTENTS) -> str:
        told = tuple(Answer(code=10 if digest == unsigned else 0) for digest in dict.fromkeys(index.leaves_first))
        now = json.dumps({"digest": tag or index.digest})
        world = talk(verify.observe(target, World(index=index, contents=contents)), told,
                     *([(NO_BUNDLES,)] if any(one.code for one in told) else []), (Answer(code=0, out=now),))
        finding = verify.judge(target, world)
        return finding.evidence if finding.state is State.FAULT else ""

    def test_a_good_image_has_none(self, target: Target) -> None:
        assert self.faults(target) == ""

    def test_an_unsigned_child(self, target: Target) -> None:
        assert "signature of" in self.faults(target, unsigned=INDEX.images[1].digest)

    def test_an_unsigned_index(self, target: Target) -> None:
        assert INDEX.digest[:19] in self.faults(target, unsigned=INDEX.digest)

    def test_a_platform_too_few_or_too_many(self, target: Target) -> None:
        assert "platforms: linux/amd64, linux/arm64" in self.faults(replace(target, platforms=("linux/amd64",)))

    def test_two_attestations_for_one_platform(self, target: Target) -> None:
        twice = replace(INDEX, entries=(*INDEX.entries, INDEX.attestations[0]))
        assert "attestations of linux/amd64: 2" in self.faults(target, index=twice)

    def test_an_attestation_of_something_else(self, target: Target) -> None:
        stray = Entry(digest=digest_of("s"), subject=digest_of("elsewhere"))
        assert "speak of no image" in self.faults(target, index=replace(INDEX, entries=(*INDEX.entries, stray)))

    def test_a_tag_that_moved_meanwhile(self, target: Target) -> None:
        assert f"{target.staging} still there: {digest_of('other')}" in self.faults(target, tag=digest_of("other"))

    def test_what_does_not_hold_of_the_content(self, target: Target) -> None:
        assert "SBOM of linux/arm64: 0 packages" in self.faults(target, contents=stated(SPDX, packages=()))

    def test_nothing_to_verify_yet(self, target: Target) -> None:
        world = talk(verify.observe(target, World()))
        assert verify.judge(target, world).state is State.ABSENT


class TestCommit:
    """The commit point."""

    def test_an_annotated_tag_is_peeled(self, target: Target) -> None:
        listed = f"{'b' * 40}\trefs/heads/main\n{'7' * 40}\trefs/tags/v1.2.3\n{'c' * 40}\trefs/tags/v1.2.3^{{}}\n"
        world = talk(commit.observe(target, World()), (Answer(code=0, out=listed),))
        assert (world.git_tag, world.head) == ("c" * 40, "b" * 40)
        assert commit.judge(target, world).state is State.SAME

    def test_branch_and_tag_are_pushed_together_or_not_at_all(self, target: Target) -> None:
        (push,) = commit.plan(target, World())
        assert isinstance(push, Command)
        assert push.argv == ("git", "push", "--atomic", "origin", f"{'c' * 40}:refs/heads/main", "refs/tags/v1.2.3")


@pytest.mark.parametrize(("stage", "said", "hint"), [
    ("build", "exec /bin/sh: exec format error", "--platform=$BUILDPLATFORM"),
    ("build", "ERROR: Multi-platform build is not supported for the docker driver", "docker buildx create --use"),
    ("build", "no match for platform in manifest", "set `platforms`"),
    ("build", "push access denied, authorization failed", "docker login"),
    ("sign", "fetching ambient OIDC credentials", "id-token: write"),
    ("sign", "UNAUTHORIZED: authentication required", "packages: write"),
    ("commit", "! [rejected] main -> main (fetch first)", "the branch moved meanwhile"),
    ("commit", "remote: error: GH006: Protected branch update failed", "GitHub App"),
    ("commit", "remote: Permission to acme/toy.git denied", "contents: write"),
    ("commit", "something else", "goes on where this one stopped"),
])
def test_known_failures_say_what_to_do_next(target: Target, stage: str, said: str, hint: str) -> None:
    commands = {"build": build.build_command(target), "sign": sign.sign_command(target, INDEX.digest),
                "commit": commit.plan(target, World())[0]}
    command = commands[stage]
    assert isinstance(command, Command)
    error = failure(command, Answer(code=1, err=said))
    assert hint in error.hint and said in error.message


FAILED_STEP = """\
#5 0.182 E: cannot fetch
#5 ERROR: process "/bin/sh -c echo one" did not complete successfully: exit code: 100
------
 > [stage-1 2/2] RUN echo one && apt-get update:
{}0.182 E: cannot fetch
------
Dockerfile:3
--------------------
   2 |     FROM python:3.13-slim-trixie
   3 | >>> RUN echo one && \\
--------------------
ERROR: failed to solve: process "{}" did not complete successfully: exit code: 100
"""


def test_a_build_that_failed_shows_the_step_and_what_it_printed_last(target: Target) -> None:
    said = FAILED_STEP.format("".join(f"0.1 line {number}\n" for number in range(40)), "echo one " * 99)
    error = failure(build.build_command(target), Answer(code=1, err=said))
    _, step, *printed, reason = error.message.splitlines()
    assert step == "  | [stage-1 2/2] RUN echo one && apt-get update:"
    assert printed[-1] == "  | 0.182 E: cannot fetch" and len(printed) == 12
    assert reason.startswith("  | ERROR: failed to solve") and reason.endswith("exit code: 100") and len(reason) < 320


class TestPromote:
    """Public tags."""

    def test_only_what_is_behind_moves(self, target: Target) -> None:
        (create,) = promote.plan(target, World(index=INDEX, tags={"v1.2.3": INDEX.digest, "latest": digest_of("old")}))
        assert isinstance(create, Command)
        assert create.argv[4:] == ("--tag", "registry.example/acme/toy:latest", f"{target.image}@{INDEX.digest}")

    def confirmed(self, target: Target, *, second: str = INDEX.digest, code: int = 0) -> World:
        """The world after both tags and the verification by the first of them were asked."""
        shown = [json.dumps({"digest": digest, "annotations": {VERSION: version}})
                 for digest, version in ((INDEX.digest, "1.2.3"), (digest_of("newer"), "1.10.0"))]
        return talk(promote.observe(target, World(index=INDEX, contents=CONTENTS)),
                    tuple(Answer(code=0, out=one) for one in shown),
                    tuple(Answer(code=code, err="no signatures found") for _ in INDEX.leaves_first),
                    *([(NO_BUNDLES,)] if code else []), (Answer(code=0, out=json.dumps({"digest": second})),))

    @pytest.mark.parametrize(("changes", "said"), [
        ({"second": digest_of("moved")}, "v1.2.3 still there"), ({"code": 10}, "signature of"),
    ])
    def test_what_people_get_by_the_tag_is_verified_again(self, target: Target, changes: dict[str, Any],
                                                          said: str) -> None:
        found = promote.judge(target, self.confirmed(target, **changes))
        assert found.state is State.FAULT and said in found.evidence

    def test_a_tag_that_a_higher_release_has_stays_there(self, target: Target) -> None:
        world = self.confirmed(target)
        found = promote.judge(target, world)
        assert found.state is State.SAME and found.evidence.endswith("; latest stays at 1.10.0")
        older = replace(world, versions={"latest": "1.2.2"})
        assert promote.judge(target, older).state is State.ABSENT
        assert promote.settle(target, older).tags == {"v1.2.3": INDEX.digest, "latest": INDEX.digest}

    def test_a_commit_without_public_tags_has_nothing_to_move(self, target: Target) -> None:
        assert promote.due(replace(target, tags=()))


class TestPublish:
    """The GitHub release."""

    def release(self, **changes: object) -> dict[str, object]:
        return {"id": 1, "tag_name": "v1.2.3", "draft": False, "assets": [{"name": publish.ASSET}],
                "upload_url": "https://up.example/1/assets{?name,label}", "html_url": "page", **changes}

    def observed(self, target: Target, *pages: list[dict[str, object]]) -> World:
        published = any(one["tag_name"] == target.tag and not one["draft"] for page in pages for one in page)
        latest = Answer(code=404) if self.latest is None else Answer(code=200, out=json.dumps(self.latest))
        return talk(publish.observe(target, World()), *((Answer(code=200, out=json.dumps(page)),) for page in pages),
                    *([(latest,)] if published else []))

    latest: dict[str, object] | None = None

    @pytest.mark.parametrize(("latest", "others", "leader"), [
        ("v1.2.3", (), ""), ("v1.2.2", (), "1"), ("v1.2.3", ("v2.0.0",), "7"), ("v2.0.0", ("v2.0.0",), ""),
        ("v1.2.2", ("v2.0.0", "v3.0.0-rc.1", "other-v9.0.0"), "7"), ("other-v1.0.0", (), ""), (None, (), ""),
        ("v1.2.3", ("v2.0.1",), ""),  # which was withdrawn
    ])
    def test_the_latest_release_is_the_highest(self, target: Target, latest: str | None, others: tuple[str, ...],
                                               leader: str) -> None:
        self.latest = self.release(tag_name=latest) if latest else None
        page = [self.release(id=7 + number, tag_name=tag) for number, tag in enumerate(others)] + [self.release()]
        world = self.observed(replace(target, withdrawn=("2.0.1",)), page)
        assert world.leader == leader
        assert publish.judge(target, world).state is (State.ABSENT if leader else State.SAME)
        if leader:
            (lead,) = publish.plan(target, world)
            assert isinstance(lead, Request) and lead.path.endswith(f"/{leader}")
            assert lead.body == {"make_latest": "true"}
            assert publish.judge(target, publish.settle(target, world)).state is State.SAME

    def test_it_is_looked_for_on_every_page(self, target: Target) -> None:
        others = [self.release(tag_name="v0.0.1")] * 100
        world = self.observed(target, others, [self.release()])
        assert world.release is not None and publish.judge(target, world).state is State.SAME
        assert self.observed(target, others, []).release is None

    def test_a_published_release_wins_over_a_forgotten_draft(self, target: Target) -> None:
        world = self.observed(target, [self.release(id=2, draft=True, assets=[]), self.release()])
        assert world.release is not None and not world.release.draft

    def test_a_release_without_its_image_is_a_conflict(self, target: Target) -> None:
        world = self.observed(target, [self.release(assets=None)])
        assert publish.judge(target, world).state is State.CONFLICT

    def test_the_asset_goes_where_the_draft_says(self, target: Target) -> None:
        draft = Published(id="1", draft=True, assets=frozenset(), upload="https://up.example", page="")
        world = World(index=INDEX, release=draft)
        (upload,) = publish.plan(target, world)
        assert isinstance(upload, Request) and upload.path == "https://up.example?name=image.json"
        assert json.loads(upload.content)["digest"] == INDEX.digest

    def test_notes_name_the_image_and_its_digest(self, target: Target) -> None:
        body = publish.render_body(target, World(index=INDEX))
        assert "- A feature" in body and f"{target.image}@{INDEX.digest}" in body

    def test_who_has_no_release_page(self, target: Target) -> None:
        assert "not released" in publish.due(replace(target, version="", channel="branch"))
        assert "no repository" in publish.due(replace(target, repository=""))


class TestDocument:
    """The docs."""

    def test_a_docs_branch_without_a_list_has_no_versions(self, target: Target) -> None:
        refs = Answer(code=0, out=f"{'d' * 40}\trefs/heads/gh-pages\n")
        world = talk(document.observe(target, World()), (refs,), (Answer(code=0),), (Answer(code=128),))
        assert world.docs == {} and "no docs version 1.2" in document.judge(target, world).evidence

    def test_an_older_patch_is_replaced(self, target: Target) -> None:
        finding = document.judge(target, World(docs={"1.2": ("1.2.2", ("latest",))}))
        assert (finding.state, finding.evidence) == (State.ABSENT, "1.2 shows 1.2.2")

    def test_latest_has_to_point_at_the_highest_version(self, target: Target) -> None:
        finding = document.judge(target, World(docs={"1.2": ("1.2.3", ())}))
        assert finding.state is State.ABSENT and "latest is not an alias" in finding.evidence

    def test_an_older_line_leaves_latest_alone(self, target: Target) -> None:
        older = replace(target, latest=False)
        (deploy,) = document.plan(older, World())
        assert isinstance(deploy, Command) and deploy.argv[-1] == "1.2"
        world = document.settle(older, World(docs={"2.0": ("2.0.0", ("latest",))}))
        assert world.docs == {"2.0": ("2.0.0", ("latest",)), "1.2": ("1.2.3", ())}
        assert document.judge(older, world).state is State.SAME

    def test_latest_moves_from_the_version_before(self, target: Target) -> None:
        world = document.settle(target, World(docs={"1.1": ("1.1.0", ("latest",))}))
        assert world.docs == {"1.1": ("1.1.0", ()), "1.2": ("1.2.3", ("latest",))}

    def test_who_has_no_docs(self, target: Target) -> None:
        assert document.due(replace(target, docs="")) and document.due(replace(target, version=""))
        assert not document.due(target)


def test_every_question_only_reads(target: Target) -> None:
    assert registry.inspect("r.example/a:b").effect == "read"
    assert all(action.effect == "read" for action in verify.plan(target, World(index=INDEX)))

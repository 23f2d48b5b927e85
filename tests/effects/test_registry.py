"""What is asked of a registry directly, and which of its troubles pass."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shipway.effects.registry import NotThere, connect
from shipway.errors import StepFailed
from tests.support.guarded_registry import resolve_to_loopback
from tests.support.registry import Registry as StandIn
from tests.support.stand_ins import install


@pytest.fixture(name="_impatient", autouse=True)
def fixture_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipway.effects.connections.ATTEMPTS", 0)


class TestTroubles:
    """Tell whether they may be over in a moment."""

    @pytest.mark.parametrize(
        ("status", "passes"),
        [(401, False), (403, False), (404, False), (429, True), (500, True), (503, True)],
    )
    def test_a_refusal(self, registry: StandIn, status: int, passes: bool) -> None:
        registry.troubles = [(status, {})] * 9
        with connect(registry.name, {}) as connection, pytest.raises(StepFailed) as caught:
            connection.manifest("v1")
        assert caught.value.passes is passes
        assert isinstance(caught.value, NotThere) is (status == 404)

    def test_an_answer_that_breaks_off(self, registry: StandIn) -> None:
        registry.troubles = [(200, {"Content-Length": "1000", "Connection": "close"})]
        with connect(registry.name, {}) as connection, pytest.raises(StepFailed) as caught:
            connection.manifest("v1")
        assert "broke off" in caught.value.message and caught.value.passes

    def test_nobody_answers(self, registry: StandIn) -> None:
        registry.server.shutdown()
        registry.server.server_close()
        with connect(registry.name, {}) as connection, pytest.raises(StepFailed) as caught:
            connection.manifest("v1")
        assert "could not ask" in caught.value.message and caught.value.passes

    def test_a_registry_that_does_not_speak_tls(
        self, registry: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resolve_to_loopback(monkeypatch)
        name = registry.name.replace("127.0.0.1", "registry.example")
        with connect(name, {}) as connection, pytest.raises(StepFailed) as caught:
            connection.manifest("v1")
        assert "is not trusted" in caught.value.message and not caught.value.passes
        assert not registry.asked


def test_a_registry_may_not_ask_for_a_longer_wait(
    registry: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("shipway.effects.connections.ATTEMPTS", 1)
    monkeypatch.setattr("urllib3.util.retry.time.sleep", pauses.append)
    registry.troubles = [(429, {"Retry-After": "86400"})]
    with connect(registry.name, {}) as connection, pytest.raises(NotThere):
        connection.manifest("v1")
    assert pauses == [60]


def test_each_pause_says_what_for_and_how_long(
    registry: StandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("shipway.effects.connections.ATTEMPTS", 4)
    monkeypatch.setattr("shipway.effects.connections._BACKOFF", 1.0)
    monkeypatch.setattr("urllib3.util.retry.time.sleep", pauses.append)
    registry.troubles = [(429, {"Retry-After": "7"}), (503, {}), (503, {}), (502, {})]
    with connect(registry.name, {}) as connection, pytest.raises(NotThere):
        connection.manifest("v1")
    assert len(pauses) >= 3 and len(caplog.messages) == len(pauses)
    for message, pause in zip(caplog.messages, pauses, strict=True):
        assert "registry: GET /v2/" in message and message.endswith(f"; again in {pause:.0f} s")
    assert "answered 429" in caplog.messages[0] and "answered 503" in caplog.messages[1]


def test_a_manifest_is_checked_against_its_digest(registry: StandIn) -> None:
    digest = registry.put({"annotations": {"a": "b"}})
    with connect(registry.name, {}) as connection:
        assert connection.manifest(digest)[0] == digest
        registry.blobs[digest] += b" "
        with pytest.raises(StepFailed, match=f"something else than {digest}"):
            connection.manifest(digest)


@pytest.mark.parametrize("answers_head", [True, False])
def test_a_blob_is_looked_for_and_not_read(registry: StandIn, answers_head: bool) -> None:
    registry.answers_head = answers_head
    digest = registry.put(b"x" * 1_000_000)
    with connect(registry.name, {}) as connection:
        connection.require_blob(digest)
        registry.refused = {digest: 501}
        with pytest.raises(StepFailed, match="answered 501"):
            connection.require_blob(digest)
        registry.refused.clear()
        del registry.blobs[digest]
        with pytest.raises(NotThere):
            connection.require_blob(digest)


@pytest.mark.process
def test_a_helper_that_gives_a_login_sees_no_secret(registry: StandIn, tmp_path: Path) -> None:
    report = tmp_path / "report"
    install(
        tmp_path,
        "docker-credential-toy",
        f"import os; open({str(report)!r}, 'w').write(' '.join(os.environ)); "
        """print('{"Username": "me", "Secret": "hush"}')""",
    )
    (tmp_path / "config.json").write_text('{"credsStore": "toy"}')
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "DOCKER_CONFIG": str(tmp_path),
        "MY_TOKEN": "hunter2hunter2",
    }
    registry.troubles = [(401, {"WWW-Authenticate": 'Basic realm="toy"'})]
    with connect(registry.name, environment) as connection, pytest.raises(NotThere):
        connection.manifest("v1")
    names = report.read_text().split()
    assert "DOCKER_CONFIG" in names and "MY_TOKEN" not in names

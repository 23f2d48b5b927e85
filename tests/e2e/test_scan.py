"""`shipway scan` with the real pip-audit, and a service on loopback that answers as OSV does (`POST /v1/query`)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.toy import Toy

pytestmark = pytest.mark.engine
KNOWN = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "summary": "toys break",
    "details": "They do.",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "toy", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}
EXCEPTION = '[tool.shipway.policy]\nexceptions = [{id = "CVE-2026-1", until = 9999-12-31, reason = "nobody plays"}]\n'


@pytest.fixture(name="service")
def fixture_service() -> Iterator[ThreadingHTTPServer]:
    """It knows of one vulnerability."""

    class Handler(BaseHTTPRequestHandler):
        """OSV's answers: an empty object where nothing is known."""

        def do_POST(self) -> None:  # pylint: disable=invalid-name
            """Answer a query."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = (asked["package"], asked["version"]) == (
                {"name": "toy", "ecosystem": "PyPI"},
                "1.0",
            )
            answer = json.dumps({"vulns": [KNOWN]} if known else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:  # pylint: disable=arguments-differ
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_vulnerable_package_is_refused_until_it_is_excepted(
    toy: Toy, service: ThreadingHTTPServer
) -> None:
    toy.environment["PIP_AUDIT_OSV_URL"] = f"http://127.0.0.1:{service.server_port}/v1/query"
    toy.run("build", "--push")
    found = toy.run("scan", "--scanner", "pip-audit", code=1)
    (one,) = found["vulnerabilities"]
    assert (one["id"], one["aliases"], one["fixed"]) == ("PYSEC-2026-1", ["CVE-2026-1"], ["1.1"])
    assert one["outcome"] == "refused" and one["platforms"] == ["linux/amd64", "linux/arm64"]
    image = f"{toy.image}@{found['digest']}"
    toy.write(settings=EXCEPTION)
    assert (
        toy.run("scan", image, "--scanner", "pip-audit")["vulnerabilities"][0]["outcome"]
        == "excepted"
    )
    toy.environment["PIP_AUDIT_OSV_URL"] = "http://127.0.0.1:9/v1/query"
    assert (
        "connection" in toy.run("scan", image, "--scanner", "pip-audit", code=5)["error"]["message"]
    )

"""A step of a Dockerfile that found no network, told from one that failed for another reason."""

from __future__ import annotations

import re

import pytest

from shipway.effects.failures import read_reasons
from shipway.tools.fetch_failures import NO_NETWORK

NETWORK = {
    "apt": (
        "W: Failed to fetch http://deb.example/dists/x  Temporary failure resolving 'deb.example'",
        "W: Failed to fetch http://deb.example/dists/x  Could not resolve 'deb.example'",
        "E: Failed to fetch http://deb.example/a.deb  Connection failed [IP: 192.0.2.1 80]",
        "E: Failed to fetch http://deb.example/a.deb  Error reading from server. Remote end closed",
        "  Could not connect to deb.example:80 (192.0.2.1), connection timed out",
        "  Cannot initiate the connection to deb.example:80 - connect (101: Network is unreachable)",
        "E: Failed to fetch http://deb.example/a.deb  Unable to connect to deb.example:http:",
    ),
    "pip": (
        "WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by "
        "'NewConnectionError('<HTTPSConnection object>: Failed to establish a new connection: "
        "[Errno -3] Temporary failure in name resolution')': /simple/requests/",
        "pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool(host='pypi.example', "
        "port=443): Read timed out.",
        "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))",
        "('Connection aborted.', RemoteDisconnected('Remote end closed connection without answer'))",
    ),
    "uv": (
        "  Caused by: dns error: failed to lookup address information: Try again",
        "  Caused by: tcp connect error: Network is unreachable (os error 101)",
        "  Caused by: tcp connect error: Connection refused (os error 111)",
        "  Caused by: operation timed out",
        "  Caused by: Connection reset by peer (os error 104)",
        "Failed to download distribution due to network timeout. Try increasing UV_HTTP_TIMEOUT",
        "  Caused by: connection closed before message completed",
    ),
    "npm": (
        "npm error code EAI_AGAIN",
        "npm error code ENOTFOUND",
        "npm error code ECONNRESET",
        "npm error network request to https://npm.example/x failed, reason: connect ETIMEDOUT",
        "npm error FetchError: request failed, reason: connect ECONNREFUSED 192.0.2.1:443",
    ),
    "apk": (
        "WARNING: fetching https://apk.example/v3.20/main: temporary error (try again later)",
        "WARNING: fetching https://apk.example/v3.20/main: DNS: transient error (try again later)",
        "WARNING: fetching https://apk.example/v3.20/main: DNS lookup error",
        "WARNING: updating https://apk.example: network error (check Internet connection)",
        "WARNING: fetching https://apk.example: could not connect to server (check repositories file)",
        "wget: bad address 'files.example'",
        "wget: can't connect to remote host (192.0.2.1): Connection refused",
    ),
    "curl": (
        "curl: (6) Could not resolve host: files.example",
        "curl: (5) Could not resolve proxy: proxy.example",
        "curl: (7) Failed to connect to files.example port 443 after 3 ms: Could not connect",
        "curl: (28) Connection timed out after 300001 milliseconds",
        "curl: (35) OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to files.example:443",
        "curl: (52) Empty reply from server",
        "curl: (56) Recv failure: Connection reset by peer",
        "curl: (18) transfer closed with 1024 bytes remaining to read",
        "  - Curl error (6): Couldn't resolve host name for https://rpm.example/repomd.xml",
    ),
    "git": (
        "fatal: unable to access 'https://git.example/a/b/': Could not resolve host: git.example",
        "fatal: unable to access 'https://git.example/a/b/': Failed to connect to git.example port "
        "443 after 129 ms: Couldn't connect to server",
        "ssh: Could not resolve hostname git.example: Name or service not known",
        "ssh: connect to host git.example port 22: Connection timed out",
        "ssh: connect to host git.example port 22: No route to host",
        "error: RPC failed; curl 56 GnuTLS recv error (-54): Error in the pull function.",
        "fetch-pack: unexpected disconnect while reading sideband packet",
    ),
    "go": (
        'go: a.example/m@v1.0.0: Get "https://proxy.example/m/@v/v1.0.0.mod": dial tcp: lookup '
        "proxy.example on 192.0.2.53:53: no such host",
        'go: a.example/m@v1.0.0: Get "https://proxy.example": dial tcp 192.0.2.1:443: i/o timeout',
        "dial tcp 192.0.2.1:443: connect: connection refused",
        "dial tcp: lookup proxy.example on 192.0.2.53:53: server misbehaving",
        "read tcp 192.0.2.9:5->192.0.2.1:443: read: connection reset by peer",
        'Get "https://proxy.example": net/http: TLS handshake timeout',
        "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        "dial tcp 192.0.2.1:443: connect: network is unreachable",
    ),
}
REAL = {
    "apt": (
        "E: Unable to locate package nonsense",
        "E: Failed to fetch http://deb.example/a.deb  404  Not Found [IP: 192.0.2.1 80]",
        "E: The repository 'http://deb.example trixie Release' is not signed.",
        "E: Unable to correct problems, you have held broken packages.",
    ),
    "pip": (
        "ERROR: No matching distribution found for nonsense",
        "ERROR: HTTP error 404 while getting https://pypi.example/a.whl",
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'SSLError("
        "SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))': /simple/requests/",
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
    ),
    "uv": (
        "  × No solution found when resolving dependencies:",
        "  Caused by: HTTP status client error (404 Not Found) for url (https://pypi.example/a)",
        "  Caused by: invalid peer certificate: UnknownIssuer",
        "error: Failed to fetch: `https://pypi.example/simple/nonsense/`",
    ),
    "npm": (
        "npm error ERESOLVE could not resolve",
        "npm error code E404",
        "npm error code EINTEGRITY",
        "Could not resolve './missing.js' from src/main.js",
        'ERROR: Could not resolve "react"',
        "connect ECONNREFUSED 127.0.0.1:5432",
    ),
    "apk": (
        "ERROR: unable to select packages:",
        "  nonsense (no such package):",
        "WARNING: fetching https://apk.example/v3.20/main: HTTP 404: Not Found",
        "wget: server returned error: HTTP/1.1 404 Not Found",
    ),
    "curl": (
        "curl: (22) The requested URL returned error: 404",
        "curl: (60) SSL certificate problem: unable to get local issuer certificate",
        "curl: (7) Failed to connect to localhost port 8080 after 0 ms: Couldn't connect to server",
        "curl: (7) Failed to connect to 127.0.0.1 port 8080 after 0 ms: Couldn't connect to server",
        "curl: (3) URL rejected: Malformed input",
    ),
    "git": (
        "fatal: repository 'https://git.example/a/b/' not found",
        "fatal: could not read Username for 'https://git.example': No such device or address",
        "fatal: Remote branch nonsense not found in upstream origin",
        "git@git.example: Permission denied (publickey).",
    ),
    "go": (
        "go: a.example/m@v9.9.9: invalid version: unknown revision v9.9.9",
        "go: a.example/m: reading https://proxy.example/m/@v/list: 404 Not Found",
        "verifying a.example/m@v1.0.0: checksum mismatch",
        "dial tcp 127.0.0.1:5432: connect: connection refused",
        "dial tcp [::1]:5432: connect: connection refused",
        "dial tcp: lookup localhost on 192.0.2.53:53: no such host",
    ),
    "steps": (
        "E   AssertionError: assert 1 == 2",
        'process "/bin/sh -c false" did not complete successfully: exit code: 1',
    ),
}


def flatten(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """Give each line with its program, as the parameters of a test."""
    return [(program, line) for program, lines in table.items() for line in lines]


def progress(line: str, *, number: int = 7) -> str:
    """What buildx prints of a step that prints a line, and then fails as step 7."""
    return (
        "#7 [stage-0 2/2] RUN fetch\n"
        f"#{number} 0.182 {line}\n"
        "#7 0.190 the last line\n"
        '#7 ERROR: process "/bin/sh -c fetch" did not complete successfully: exit code: 1\n'
        "------\n > [stage-0 2/2] RUN fetch:\n0.190 the last line\n------\n"
        'ERROR: failed to solve: process "/bin/sh -c fetch" did not complete successfully\n'
    )


def is_network(text: str) -> bool:
    """Say whether a build that printed ``text`` is made once more."""
    return re.search(NO_NETWORK, read_reasons(text)) is not None


@pytest.mark.parametrize(("program", "line"), flatten(NETWORK))
def test_a_step_that_found_no_network(program: str, line: str) -> None:
    assert is_network(progress(line)), program
    assert not is_network(progress(line, number=5)), "another step said it, and went on"


@pytest.mark.parametrize(("program", "line"), flatten(REAL))
def test_a_step_that_failed_for_another_reason(program: str, line: str) -> None:
    assert not is_network(progress(line)), program


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            'failed to do request: Head "https://r.example/v2/": dial tcp 192.0.2.1:443: i/o timeout',
            1,
        ),
        ("failed to copy: read tcp 192.0.2.9:5->192.0.2.1:443: read: connection reset by peer", 1),
        (
            'failed to do request: Head "http://localhost:1/v2/": dial tcp [::1]:1: connect: refused',
            0,
        ),
        ("docker.io/library/nonsense:1: not found", 0),
    ],
)
def test_a_base_image_that_could_not_be_fetched(reason: str, expected: int) -> None:
    text = f"#3 [internal] load metadata for r.example/base:1\n#3 ERROR: {reason}\n"
    assert is_network(text) == bool(expected)

"""Which troubles pass, in the words of the programs that meet them."""

from __future__ import annotations

import re

import pytest

from shipway.tools.troubles import PASSING

URL = "https://rekor.example/api/v1/log/entries"
PASSES = [
    # Rekor, Fulcio, a timestamp authority or a registry that hangs, by Go's client
    f'Post "{URL}": net/http: request canceled (Client.Timeout exceeded while awaiting headers)',
    f'Post "{URL}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    f'Get "{URL}": net/http: request canceled while waiting for connection '
    "(Client.Timeout exceeded while awaiting headers)",
    "net/http: request canceled (Client.Timeout or context cancellation while reading body)",
    f'Get "{URL}": net/http: timeout awaiting response headers',
    f'Get "{URL}": net/http: TLS handshake timeout',
    f'Get "{URL}": dial tcp 192.0.2.1:443: i/o timeout',
    f'Get "{URL}": dial tcp 192.0.2.1:443: connect: connection refused',
    f'Get "{URL}": dial tcp 192.0.2.1:443: connect: connection timed out',
    f'Get "{URL}": dial tcp 192.0.2.1:443: connect: no route to host',
    f'Get "{URL}": dial tcp 192.0.2.1:443: connect: network is unreachable',
    f'Get "{URL}": dial tcp: lookup rekor.example on 192.0.2.53:53: server misbehaving',
    f'Put "{URL}": write tcp 192.0.2.1:5->192.0.2.2:443: write: broken pipe',
    f'Put "{URL}": read tcp 192.0.2.1:5->192.0.2.2:443: read: connection reset by peer',
    f'Post "{URL}": EOF',
    f'Put "{URL}": unexpected EOF',
    "failed to copy: unexpected EOF",
    'failed to download "trusted_root.json": unexpected EOF',
    "tuf: failed to download 13.root.json: unexpected EOF",
    "http2: server sent GOAWAY and closed the connection; LastStreamID=1",
    "stream error: stream ID 5; INTERNAL_ERROR; received from peer",
    "http2: client connection lost",
    "http: server closed idle connection",
    "rpc error: code = Unavailable desc = error reading from server",
    "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
    # what registries and services answer
    "unexpected status from HEAD request to https://r.example/v2/a/manifests/v1: 503 Service Unavailable",
    "unexpected status code 500 Internal Server Error",
    "received unexpected HTTP status: 502 Bad Gateway",
    "GET https://r.example/v2/a/blobs/x: 504 Gateway Timeout",
    "toomanyrequests: You have reached your pull rate limit",
    "error parsing HTTP 429 response body: invalid character 'T'",
    'POST https://fulcio.example/api/v2/signingCert: {"code":503,"message":"x"}',
    "Fulcio returned 502: upstream connect error",
    "giving up: status=503",
    "503",
    # git
    "error: RPC failed; HTTP 503 curl 22 The requested URL returned error: 503",
    "fatal: the remote end hung up unexpectedly",
    "fatal: early EOF",
    "fetch-pack: unexpected disconnect while reading sideband packet",
    "fatal: unable to access 'https://x/': Failed to connect to x port 443: Connection timed out",
    "fatal: unable to access 'https://x/': gnutls_handshake() failed: The TLS connection was "
    "non-properly terminated.",
    "error: RPC failed; curl 92 HTTP/2 stream 0 was not closed cleanly: INTERNAL_ERROR (err 2)",
    "ssh: Could not resolve hostname x: Temporary failure in name resolution",
    "ssh: connect to host x port 22: Connection timed out",
]
LASTS = [
    # files of the settings that cannot be read
    "error reading signing config from file: proto: unexpected EOF",
    "error reading signing config from file: proto:\u00a0unexpected EOF",
    "loading trusted root: failed to proto-json unmarshal trusted root: proto: unexpected EOF",
    "error reading signing config from file: proto: syntax error (line 1:1): unexpected token",
    "parsing predicate: json: unexpected EOF",
    "yaml: line 3: unexpected EOF",
    "unsupported SigningConfig media type: x",
    "unexpected end of JSON input",
    "open gone.json: no such file or directory",
    "reading key: decrypt: encrypted: decryption failed",
    # answers that are a no
    "Fulcio returned 400: There was an error processing the identity token",
    "UNAUTHORIZED: authentication required",
    "denied: requested access to the resource is denied",
    "manifest unknown: manifest unknown",
    "unexpected status from PUT request to https://r.example/v2/a: 403 Forbidden",
    "dial tcp: lookup nohost.invalid on 192.0.2.53:53: no such host",
    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    "http: server gave HTTP response to HTTPS client",
    "context canceled",
    "invalid character '<' looking for beginning of value",
    # numbers that are no status
    "ERROR: r.example/acme/app:v1.503.0: not found",
    "ERROR: r.example/acme/app:v500.1.0: not found",
    "ERROR: r.example/acme/app:500: not found",
    "ERROR: r.example/acme/app-503: not found",
    "ERROR: 127.0.0.1:503/acme/app:v1: not found",
    "ERROR: r.example/500/app@sha256:429: not found",
    "no matching signatures: got subjects [https://github.com/acme/app-500/x.yml@refs/heads/500]",
]


@pytest.mark.parametrize("text", PASSES)
def test_a_trouble_that_passes(text: str) -> None:
    for printed in (text, f"Error: {text}", f"Signing …\nError: {text}\nmore"):
        assert re.search(PASSING, printed)


@pytest.mark.parametrize("text", LASTS)
def test_a_trouble_that_lasts(text: str) -> None:
    for printed in (text, f"Error: {text}", f"Signing …\nError: {text}\nmore"):
        assert not re.search(PASSING, printed)

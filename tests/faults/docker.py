"""A `docker buildx` of four commands, run as a program: its images are tiny, and it speaks the registry's protocol.

An image has two manifests a platform, as BuildKit's have: one with a layer, one with an SBOM and a provenance about it.
The provenance names its run and moment, so that no two builds have the same digest.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import sys
import tarfile
import uuid
from typing import Any

Node = dict[str, Any]  # Any: JSON
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
STATEMENT = "application/vnd.in-toto+json"
REFERENCE = "vnd.docker.reference."
BUILD_TYPE = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"


def ask(
    method: str, host: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """(status, headers in lower case, body) of one request."""
    connection = http.client.HTTPConnection(host, timeout=300)
    try:
        connection.request(method, path, body, {"User-Agent": "buildx/0", **headers})
        answer = connection.getresponse()
        return (
            answer.status,
            {name.lower(): value for name, value in answer.getheaders()},
            answer.read(),
        )
    except http.client.RemoteDisconnected:
        sys.exit(f'ERROR: failed to do request: {method} "http://{host}{path}": EOF')
    except (OSError, http.client.HTTPException):
        sys.exit(
            f'ERROR: failed to do request: {method} "http://{host}{path}": read tcp: connection reset by peer'
        )
    finally:
        connection.close()


def need(
    method: str, host: str, path: str, body: bytes = b"", **headers: str
) -> tuple[dict[str, str], bytes]:
    """The answer; ends in buildx's words where it is an error."""
    status, found, content = ask(method, host, path, body, **headers)
    if status == 404:
        # buildx calls what it does not find by its reference.
        name, _, target = path.removeprefix("/v2/").partition("/manifests/")
        mark = "@" if target.startswith("sha256:") else ":"
        sys.exit(f"ERROR: {host}/{name}{mark}{target}: not found")
    if status >= 400:
        sys.exit(
            f"ERROR: unexpected status from {method} request to http://{host}{path}: {status} "
            f"{http.client.responses.get(status, '')}"
        )
    return found, content


def digest_of(content: bytes) -> str:
    """A digest as the registry names it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def push_blob(host: str, name: str, kind: str, content: bytes) -> Node:
    """Push a blob that is not there yet; gives its descriptor."""
    digest = digest_of(content)
    if ask("HEAD", host, f"/v2/{name}/blobs/{digest}")[0] != 200:
        headers, _ = need("POST", host, f"/v2/{name}/blobs/uploads/")
        place = headers["location"].partition(host)[2] or headers["location"]
        need(
            "PUT",
            host,
            f"{place}{'&' if '?' in place else '?'}digest={digest}",
            content,
            **{"Content-Type": "application/octet-stream"},
        )
    return {"mediaType": kind, "digest": digest, "size": len(content)}


def push_manifest(host: str, name: str, document: Node, tag: str = "") -> Node:
    """Push a manifest under its digest, or under a tag; gives its descriptor."""
    content = json.dumps(document).encode()
    digest = digest_of(content)
    need(
        "PUT",
        host,
        f"/v2/{name}/manifests/{tag or digest}",
        content,
        **{"Content-Type": document["mediaType"]},
    )
    return {"mediaType": document["mediaType"], "digest": digest, "size": len(content)}


def make_manifest(config: Node, layers: list[Node]) -> Node:
    """An OCI image manifest."""
    return {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}


def build(words: list[str]) -> None:
    """`build`: pull the base, push blobs and manifests, then the index under its tag."""
    given = [word[2:].partition("=")[::2] for word in words if word.startswith("--")]
    output = dict(
        one.partition("=")[::2]
        for key, value in given
        if key == "output"
        for one in value.split(",")
    )
    host, name, tag = resolve(output["name"])
    labels = dict(value.partition("=")[::2] for key, value in given if key == "label")
    annotations = dict(
        value.removeprefix("index:").partition("=")[::2]
        for key, value in given
        if key == "annotation"
    )
    need("GET", host, "/v2/library/base/manifests/1", Accept=MANIFEST)
    platforms = next(value for key, value in given if key == "platform").split(",")
    images = [push_image(host, name, platform, labels) for platform in platforms]
    provenance = {key: value for key, value in given if key == "provenance"}.get("provenance", "")
    builder = dict(one.partition("=")[::2] for one in provenance.split(",")).get("builder-id", "")
    about = [
        push_attestation(host, name, image["digest"], make_provenance(labels, builder))
        for image in images
    ]
    push_manifest(
        host,
        name,
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [*images, *about],
            "annotations": annotations,
        },
        tag,
    )


def push_image(host: str, name: str, platform: str, labels: dict[str, str]) -> Node:
    """Push the image of one platform; gives its entry in an index."""
    system, machine = platform.split("/")[:2]
    config = {
        "os": system,
        "architecture": machine,
        "config": {"Labels": labels},
        "rootfs": {"type": "layers"},
    }
    image = make_manifest(
        push_blob(host, name, CONFIG, json.dumps(config).encode()),
        [push_blob(host, name, LAYER, make_layer(platform))],
    )
    return {**push_manifest(host, name, image), "platform": {"os": system, "architecture": machine}}


def push_attestation(host: str, name: str, digest: str, provenance: Node) -> Node:
    """Push what is stated about ``digest``; gives its entry in an index."""
    statements = [
        push_blob(host, name, STATEMENT, json.dumps(one).encode())
        for one in describe(digest, provenance)
    ]
    nowhere = {"os": "unknown", "architecture": "unknown"}
    manifest = make_manifest(
        push_blob(host, name, CONFIG, json.dumps(nowhere).encode()), statements
    )
    return {
        **push_manifest(host, name, manifest),
        "platform": nowhere,
        "annotations": {f"{REFERENCE}type": "attestation-manifest", f"{REFERENCE}digest": digest},
    }


def make_layer(text: str) -> bytes:
    """A tar archive of one file."""
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w") as archive:
        member = tarfile.TarInfo("hello")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text.encode()))
    return found.getvalue()


def describe(digest: str, provenance: Node) -> list[Node]:
    """An SBOM and a provenance of ``digest`` (in-toto Statement v0.1, as BuildKit writes it)."""
    subject = [{"name": "app", "digest": dict([digest.split(":")])}]
    packages = [{"name": "hello", "versionInfo": "1", "licenseDeclared": "MIT"}]
    return [
        {
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": kind,
            "subject": subject,
            "predicate": body,
        }
        for kind, body in (
            ("https://spdx.dev/Document", {"packages": packages}),
            ("https://slsa.dev/provenance/v1", provenance),
        )
    ]


def make_provenance(labels: dict[str, str], builder: str) -> Node:
    """What BuildKit states of a build of one base image (SLSA provenance v1.0)."""
    base = {"uri": "pkg:docker/base@1", "digest": {"sha256": hashlib.sha256(b"base").hexdigest()}}
    told = {f"label:{name}": value for name, value in labels.items()}
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"request": {"args": told}},
            "resolvedDependencies": [base],
        },
        "runDetails": {"builder": {"id": builder}, "metadata": {"invocationId": uuid.uuid4().hex}},
    }


def resolve(reference: str) -> tuple[str, str, str]:
    """Host, name, and tag or digest."""
    host, _, rest = reference.partition("/")
    name, _, target = rest.rpartition("@" if "@" in rest else ":")
    return host, name, target


def inspect(reference: str, *, raw: bool) -> None:
    """`imagetools inspect --format '{{json .Manifest}}'`, or `--raw`."""
    host, name, target = resolve(reference)
    _, content = need("GET", host, f"/v2/{name}/manifests/{target}", Accept=f"{INDEX}, {MANIFEST}")
    if raw:
        print(content.decode(), end="")
        return
    print(json.dumps({**json.loads(content), "digest": digest_of(content), "size": len(content)}))


def create(words: list[str]) -> None:
    """`imagetools create --tag … SOURCE`: one index, unchanged, under each tag in turn."""
    host, name, target = resolve(words[-1])
    _, content = need("GET", host, f"/v2/{name}/manifests/{target}", Accept=f"{INDEX}, {MANIFEST}")
    for flag, value in zip(words, words[1:], strict=False):
        if flag == "--tag":
            need(
                "PUT",
                host,
                f"/v2/{name}/manifests/{resolve(value)[2]}",
                content,
                **{"Content-Type": json.loads(content)["mediaType"]},
            )


BUILDER = "Driver: docker\n\nNodes:\nEndpoint: default\nPlatforms: linux/amd64, linux/arm64"


def main(words: list[str]) -> None:
    """One command."""
    if words[:2] == ["buildx", "build"]:
        build(words[2:])
    elif words[:2] == ["buildx", "inspect"]:
        print(BUILDER)
    elif words[:3] == ["buildx", "imagetools", "inspect"]:
        inspect(words[3], raw="--raw" in words)
    elif words[:3] == ["buildx", "imagetools", "create"]:
        create(words[3:])
    else:
        sys.exit(f"ERROR: this docker does not know {' '.join(words[:3])}")


if __name__ == "__main__":
    main(sys.argv[1:])

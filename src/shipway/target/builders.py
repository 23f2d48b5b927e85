"""Settings → a builder of BuildKit's own drivers: made when it is missing, reused when it is the same. Pure."""

from __future__ import annotations

import hashlib

import msgspec

from shipway.settings import BuilderSettings


def builder_name(builder: BuilderSettings) -> str:
    """A name that tells the settings: the same settings find the same builder. Empty for the one that is in use."""
    if builder.driver == "default":
        return ""
    return (
        "shipway-"
        + hashlib.sha256(msgspec.json.encode(builder, order="deterministic")).hexdigest()[:8]
    )


def builder_commands(builder: BuilderSettings) -> tuple[tuple[str, ...], ...]:
    """The arguments that make it, one command a node."""
    name = builder_name(builder)
    if not name:
        return ()
    options = [f"--driver-opt={key}={value}" for key, value in sorted(builder.options.items())]
    create = ("docker", "buildx", "create", "--name", name, "--driver", builder.driver, *options)
    if not builder.nodes:
        return (create,)
    nodes = [
        (f"--platform={platform}", address) for platform, address in sorted(builder.nodes.items())
    ]
    return tuple(
        (*create, *(("--append",) if number else ()), *node) for number, node in enumerate(nodes)
    )

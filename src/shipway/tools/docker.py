"""This module writes the command lines of the Docker Engine's own client. Pure."""

from __future__ import annotations

from shipway.model.actions import Command, Effect


def ask_engine_version(name: str) -> Command:
    """Ask which engine answers; it fails where none does."""
    return Command(
        name=name,
        why="ask the engine",
        argv=("docker", "version", "--format", "{{.Server.Version}}"),
        effect=Effect.READ,
    )


def run_registry(address: str) -> tuple[str, ...]:
    """Give the words that run a registry in a container, at ``address`` (``HOST:PORT``).

    It stays in the foreground: the container ends with its client.
    """
    return ("docker", "run", "--rm", "--publish", f"{address}:5000", "registry:2")

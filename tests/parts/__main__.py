"""Builds the parts: `python -m tests.parts [--path] [PART …]`, all of them where none is named.

Ends with 1 where one could not be built, and names it; what is in the cache already is not built again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.parts.building import NotBuilt, build, folder_of, is_built
from tests.parts.recipes import PARTS, Part


def main() -> int:
    """Build what is asked for."""
    arguments = read_arguments()
    if not shutil.which("go"):
        print("there is no Go: install it (go.dev/doc/install), 1.21 or later", file=sys.stderr)
        return 1
    wanted = [part for part in PARTS if part.name in arguments.parts] or list(PARTS)
    failures = [part.name for part in wanted if not provide(part, os.environ)]
    if failures:
        print(f"not built: {', '.join(failures)}", file=sys.stderr)
        return 1
    if arguments.path:
        put_on_path(wanted, os.environ)
    return 0


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="nox -s parts --", description=__doc__)
    names = [part.name for part in PARTS]
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(names))
    parser.add_argument(
        "--path", action="store_true", help="put them on the PATH of the GitHub job's next steps"
    )
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.parts) - set(names))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    if arguments.path and "GITHUB_PATH" not in os.environ:
        parser.error("--path is for a job of GitHub Actions: there is no $GITHUB_PATH")
    return arguments


def provide(part: Part, environment: Mapping[str, str]) -> bool:
    """Build a part that is not in the cache, and say how long it took; says whether it is there."""
    label = f"{part.name} {part.version}"
    if is_built(part, environment):
        print(f"{label}: in the cache", flush=True)
        return True
    begin = time.monotonic()
    try:
        build(part, environment)
    except NotBuilt as error:
        print(f"{label}: could not be built\n{error}", file=sys.stderr, flush=True)
        return False
    seconds = time.monotonic() - begin
    print(f"{label}: built in {seconds:.0f} s", flush=True)
    return True


def put_on_path(parts: list[Part], environment: Mapping[str, str]) -> None:
    """Write the parts' folders into the file that the runner reads (`$GITHUB_PATH`)."""
    lines = [f"{folder_of(part, environment)}\n" for part in parts]
    with Path(environment["GITHUB_PATH"]).open("a", encoding="utf-8") as file:
        file.writelines(lines)


if __name__ == "__main__":
    sys.exit(main())

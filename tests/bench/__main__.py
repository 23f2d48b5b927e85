"""Measures the pairs, prints the table and writes `bench.json`: ``python -m tests.bench [--only NAME] [--rounds N]``.

The cache of the engine's builder is emptied again and again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shipway.effects.environment import equip
from shipway.effects.processes import Processes
from shipway.errors import ShipwayError
from shipway.rehearsal import leash
from tests.bench.faces import face_pairs
from tests.bench.images import Images
from tests.bench.measure import Measured, Pair, document, measure, rows
from tests.bench.versions import version_pairs
from tests.support.machine import forget_surroundings

RESULT = Path("bench.json")
FEWEST = 3
"""Runs of each way: fewer have no median worth the name."""
HEADS = ("pair", "usual", "ours", "ratio", "goal", "")


def all_pairs(folder: Path, runner: Processes) -> list[Pair]:
    """Everything that is measured. A new pair is a function beside these and a word here."""
    return [
        *face_pairs(folder / "faces", runner),
        *version_pairs(folder / "versions", runner),
        *Images(folder / "images", runner).pairs(),
    ]


def main(argv: list[str]) -> int:
    """Exit status: 0 when nothing failed, whatever came out; with ``--check`` 1 when a goal is missed."""
    options = _parser().parse_args(argv)
    forget_surroundings(os.environ)
    # The guard ends the registry and deletes the folder, however this ends.
    folder = Path(tempfile.mkdtemp(prefix="shipway-bench-"))
    with leash.hold(folder) as mark:
        pairs = all_pairs(folder, Processes({**equip(os.environ), **mark}))
        names = [pair.name for pair in pairs]
        for name in set(options.only) - set(names):
            _say(f"there is no pair {name!r}; the pairs are {', '.join(names)}")
            return 2
        chosen = [
            pair
            for pair in pairs
            if (pair.name in options.only if options.only else not pair.asked_for)
        ]
        measured, status = [], 0
        for pair in chosen:
            try:
                measured.append(measure(pair, options.rounds, report_outcome=_say))
            except ShipwayError as error:
                _say(f"bench: {pair.name}: {error}")
                measured.append(Measured(pair=pair, reason=error.message.splitlines()[0]))
                status = error.status
            # After every pair: what was measured before an interruption took long enough.
            RESULT.write_text(
                json.dumps(document(measured), indent=2, ensure_ascii=False) + "\n",
                encoding="utf-8",
            )
    _show(measured)
    return status or int(options.check and not all(one.met for one in measured))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nox -s bench --", description="Measure pairs of the usual way and ours."
    )
    parser.add_argument(
        "--only", metavar="NAME", action="append", default=[], help="this pair; may be repeated"
    )
    parser.add_argument(
        "--rounds", metavar="N", type=_rounds, default=FEWEST, help="runs of each way (%(default)s)"
    )
    parser.add_argument("--check", action="store_true", help="exit status 1 when a goal is missed")
    return parser


def _rounds(text: str) -> int:
    number = int(text)
    if number < FEWEST:
        raise argparse.ArgumentTypeError(f"at least {FEWEST}")
    return number


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(measured: list[Measured]) -> None:
    table = Table(*HEADS)
    for row in rows(measured):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Real programs where doubles stand otherwise, built from their Go modules for the end-to-end tests.

`recipes` lists the parts, `building` builds them, and `python -m tests.parts` (`nox -s parts`) says how long each took.
The folder of a part holds its `go.mod` and `go.sum`, which lock its version and everything in it by hash.

A program lies at `$XDG_CACHE_HOME/shipway/parts/<part>/<key>/<program>`, by default below `~/.cache`. The key is a hash
of all that decides what is built, so that a part is built once; `tests/support/parts.py` finds it for a test.
"""

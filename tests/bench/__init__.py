"""Benchmarks: pairs of the usual way and ours, measured in turn. `nox -s bench` runs them."""

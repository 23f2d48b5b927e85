"""The fault matrix: each of twelve points of a release meets each of eleven faults, and nobody sees half a release.

`points` says where a release can be hit and by what, `proxy` hits it, `director` decides when; `programs` puts a git, a
docker and a cosign before it that go through that proxy, `docker` being a small one of our own; `world` holds the
remotes, `people` looks at them as people do, `invariants` says what has to hold, `cells` plays one cell, `table` writes
down what came of all. `nox -s faults` runs `__main__`.
"""

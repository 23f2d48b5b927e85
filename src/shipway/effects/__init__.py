"""Touches the machine and the network: processes, registries, GitHub's API, images, history, files.

It carries out and reads; what is to be done is decided in ``stages/`` and ``run/``.
"""

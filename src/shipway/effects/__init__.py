"""Whatever touches the machine or the network: processes, registries, GitHub's API, images, history, the environment.
It carries out and reads; what is to be done is decided in ``stages/`` and ``run/``."""

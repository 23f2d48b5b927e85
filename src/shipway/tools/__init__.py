"""How each tool is asked: the command lines of buildx, imagetools, cosign, git and python-semantic-release, and how their
answers are read. What should exist is decided elsewhere; nothing is run here."""

"""This package writes the command lines and requests of each tool, and reads the answers.

The tools are buildx, imagetools, cosign, git, mike, Debian's programs, GitHub's API and
python-semantic-release. What should exist is decided elsewhere; nothing is run here.
"""

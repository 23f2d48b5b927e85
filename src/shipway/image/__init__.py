"""What an image is, is described here: index, contents, SBOM, provenance, and policies for them.

Everything here is pure: whatever asks a registry for an image belongs in ``effects/``.
"""

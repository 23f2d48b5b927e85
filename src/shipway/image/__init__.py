"""What an image is stands here: its index, contents, SBOM, provenance, and the policies for them.

Everything here is pure: whatever asks a registry for an image belongs in ``effects/``.
"""

"""What an image is: its index, contents, SBOM, provenance, licenses, and the policies that judge them. Pure: whatever
asks a registry for it is in ``effects/``."""

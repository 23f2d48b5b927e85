"""A Sigstore of one's own, on loopback: real cosign signs and verifies keyless against it, with no internet.

`identity` hands out the tokens that a GitHub job gets, `authority` issues certificates for them as Fulcio does,
`transparency` notes each certificate down, `timestamps` says when a signature was made, `trust` writes what a verifier
has to know, `flags` tells cosign about it, and `service` puts all of them behind one address.

Nothing is waved through: the authority checks every token and every proof, and refuses as Fulcio does.
"""

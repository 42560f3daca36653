"""
A local server that speaks the Coinbase Business Checkouts API, with state, for tests.

Unofficial. What it answers rests on published documents and, where they are silent or disagree, on the
choices in `coinbase_checkouts_sandbox.readings`; it is no evidence of how Coinbase's own service behaves.
"""

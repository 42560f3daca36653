"""
Does a server keep the rules of the Coinbase Business Checkouts API?

Claims about any server that speaks the API, tried live (`coinbase-checkouts conformance`) or on recordings
(`python -m coinbase_checkouts_conformance.replay`). What is recorded from our own sandbox says nothing about
Coinbase's service, and says so. Unofficial.
"""

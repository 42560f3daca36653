"""
A client for the Coinbase Business Checkouts API that is safe to move money with (unofficial).
"""

"""The seal: keys, signatures and certificates; the only room that imports `cryptography`.

No protocol lives here, and nothing of the network: whose key it is and what a signature means is said elsewhere.
Kept empty on purpose: verifying a signature must not import what makes certificates.
"""

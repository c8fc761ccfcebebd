"""Transport: HTTPS between nodes, both sides.

Bytes in, an injected service, bytes out. Nothing here decides about a document, keeps anything, or reads a store.
Kept empty on purpose: a client need not import the server.
"""

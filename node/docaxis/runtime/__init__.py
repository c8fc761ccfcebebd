"""The runtime: where the pure machine meets time, chance, disk and network.

It performs and never decides: what becomes of a document is said in `docaxis.core` alone. Nothing is imported here,
so that opening one module opens no other.
"""

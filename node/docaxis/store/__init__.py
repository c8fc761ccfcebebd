"""Stores: where a node keeps what it must never lose.

Kept empty on purpose: importing one engine must not import the others.
"""

"""The simulator: the node's own protocol code on a simulated country, clock, network and disk.

The promise: the same seed and the same commit give the same trace. It drives `docaxis.core` and those parts of the seal
and the store that were made for it; it may not import the node's adapters, read a real clock, or draw from chance
anywhere but in its seeded streams. Nothing is imported here, so that reading a scenario does not load an engine.
"""

"""docaxis: official documents between agencies, signed and followed, with nobody in the middle.

The map of the house. Imports point down; a room may use the floors below it, never its neighbour or the floor above.

    cli         the command `docaxis`; composes, and is the only place that knows every adapter
    testing     a whole axis inside a test: for developers of document-management software
    api         the local HTTP interface that people's software talks to
    client      the same interface from the other side, typed
    runtime     the one loop, the one clock, the one source of chance
    store       what must survive: transactions, receipts, content
    transport   envelopes and statements between nodes, over HTTPS
    directory   who is who: the signed address book
    seal        keys, signatures, encryption; the only importer of `cryptography`
    core        what a document may become; pure: no I/O, no clock, no chance, no logging

Nothing is imported here, so that opening one room opens no other.
"""

__version__ = "0.1.0"

"""The local API: how a node's own people and their software speak to it, as JSON over HTTP on a separate listener.

Nothing here decides anything about a document, signs, stores or speaks to peers: requests become the plain values of
`docaxis.core.events`, and answers are what the machine and the store say, in words for people: ``node/docs/api.md``.
"""

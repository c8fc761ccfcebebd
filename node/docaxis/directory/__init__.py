"""The signed directory: who is an agency, which keys and addresses it has, published and fetched as static files.

TUF metadata carries the trust (python-tuf and securesystemslib are imported here and nowhere else); packed shards carry
the entries. No other adapter is imported here, and nothing here is on the path of a document: a node looks things up in
the `docaxis.core.addresses.Book` that a refresh made.
"""

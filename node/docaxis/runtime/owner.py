"""Owner: whether the documents in a node's folder are those of the party that its settings name.

A folder whose ``node.id`` was changed, or whose database came from another node, would speak in one name of what was
promised in another. Looked at once, before anything starts; which keys are listed is looked at elsewhere.
"""

from docaxis.core.addresses import Book
from docaxis.core.errors import OurFault
from docaxis.core.ids import PartyId
from docaxis.store.base import Store


async def check_owner(store: Store, me: PartyId, book: Book) -> None:
    """Raises `OurFault` ``node.config`` where `store` holds documents of a party that `me` neither is nor succeeds."""
    for outgoing in (True, False):
        for record, _ in await store.documents(outgoing, None, 1, None):
            owner = record.sender if outgoing else record.recipient
            if owner != me and not book.answers_for(me, owner):
                raise OurFault(
                    "node.config",
                    f"node.id is {me}, but the documents in this folder are those of {owner}: "
                    f"set node.id back to {owner}, or make a folder of its own for {me} with `docaxis node init`",
                )

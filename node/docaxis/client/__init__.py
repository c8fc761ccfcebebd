"""The local API from the other side: typed, asynchronous, and what the command line itself uses.

    async with Client("http://127.0.0.1:8480", token) as node:
        sent = await node.send(["H49", "H54"], files=[Path("quyet-dinh.pdf")], meta={"subject": "Về việc nghỉ Tết"})
        async for change in node.changes():
            print(change.recipient, change.state.name)

It speaks HTTP to one node and knows nothing of stores, keys or peers; it decides nothing about documents.
"""

from docaxis.client.answers import (
    Change,
    Document,
    FileInfo,
    FileLine,
    Page,
    Party,
    Row,
    Said,
    Sent,
    Signature,
    Stated,
    Transmission,
)
from docaxis.client.client import Client
from docaxis.client.errors import Failed, Refused
from docaxis.client.files import Attachment

__all__ = [
    "Attachment",
    "Change",
    "Client",
    "Document",
    "Failed",
    "FileInfo",
    "FileLine",
    "Page",
    "Party",
    "Refused",
    "Row",
    "Said",
    "Sent",
    "Signature",
    "Stated",
    "Transmission",
]

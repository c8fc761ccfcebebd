"""Relay: a document to many handed down the tree, so that nobody sends more copies than it has units below it.

Only who gets it from whom. A unit that hands on pays what a submission costs; what that is, and how long the copies
take, is the engines' matter.
"""

import numpy as np

from docaxis_sim.capacity.model import TIERS
from docaxis_sim.capacity.plan import Bool, Int32, Int64
from docaxis_sim.capacity.rows import Rows
from docaxis_sim.capacity.topology import Topology


def relayed(topology: Topology, rows: Rows) -> Rows:
    """The same deliveries, each from the nearest unit above its recipient that the document is addressed to as well.

    What has none above it, or the sender first, comes from the sender as before. A unit above that is not addressed
    hands nothing on: who wants districts to relay addresses them.
    """
    nodes = len(topology.ids)
    keys = rows.document.astype(np.int64) * nodes + rows.target
    order = np.argsort(keys, kind="stable")
    in_order = keys[order]
    parent = np.full(len(keys), -1, np.int32)
    source = rows.source.copy()
    above = topology.parent[rows.target]
    searching = (above >= 0) & (above != rows.source)
    for _ in TIERS:
        asked = np.flatnonzero(searching)
        place = _find(in_order, keys[asked] - rows.target[asked] + above[asked])
        found = place >= 0
        parent[asked[found]] = order[place[found]]
        source[asked[found]] = above[asked[found]]
        searching[asked[found]] = False
        above = np.where(searching, topology.parent[above], np.int32(-1))
        searching &= (above >= 0) & (above != rows.source)
    return rows._replace(parent=parent, source=source, first=_first_of_each(rows.document, source, nodes))


def _find(in_order: Int64, wanted: Int64) -> Int64:
    """Where each wanted key stands, -1 where it does not."""
    place = np.minimum(np.searchsorted(in_order, wanted), len(in_order) - 1)
    return np.where(in_order[place] == wanted, place, -1)


def _first_of_each(document: Int32, source: Int32, nodes: int) -> Bool:
    """Each unit takes a document in once, and then pays only for further recipients."""
    _, first = np.unique(document.astype(np.int64) * nodes + source, return_index=True)
    is_first = np.zeros(len(document), np.bool_)
    is_first[first] = True
    return is_first

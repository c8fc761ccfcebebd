"""Plan and run: everything one replication will carry, drawn before it starts, and what an engine made of it; columns.

The contract between those who make plans (`traffic`, `topology`), the engines that carry them out (`reference`,
`vector`) and those who read the outcome (`measure`). Values and their meaning only: nothing here draws, carries or
counts. Times are integer nanoseconds after midnight of the first day, so that engines can agree exactly.

**Who and what.** A node has four stations: its *loop* (one interpreter that decides, in rounds), its *disk* (group
commits), its *up* link and its *down* link. `Stations` says which station of each kind a node uses, so that several
nodes may share one (a host, a site's uplink). A *delivery* is one document to one recipient, and a row of `Deliveries`.

**Tokens.** What moves is a token: ``delivery << STEP_BITS | step``; it is at one station visit at a time. A delivery
goes from ``path[0]`` (sender) over ``hops`` hops to ``path[hops]`` (recipient). Steps, in the order of their times:

=====================  =====================================================  =========================================
step                   visit                                                  then, after
=====================  =====================================================  =========================================
``SUBMIT``             loop + disk of the sender, cost SUBMIT or SUBMIT_MORE  hop 0: latency → ENVELOPE, or UP at once
``hop(h, ENVELOPE)``   loop + disk of ``path[h+1]``, cost ENVELOPE            latency (the pull) → ``hop(h, UP)``
``hop(h, UP)``         up link of ``path[h]``                                 latency → ``hop(h, DOWN)``, cut through
``hop(h, DOWN)``       down link of ``path[h+1]``                             time to write the blobs → ``hop(h, NODE)``
``hop(h, NODE)``       loop + disk of ``path[h+1]``, cost CONTENT or RELAY    next hop; after the last: *arrived*
``receipt(j)``         loop + disk of ``path[hops-1-j]``, cost RECEIPT        latency → ``receipt(j+1)``; last: *home*
``status(k, 0)``       loop + disk of the recipient, cost STATE               latency → ``status(k, 1)``
``status(k, 1+j)``     loop + disk of ``path[hops-1-j]``, cost STATUS         latency → next; last: status *home*
=====================  =====================================================  =========================================

Which steps a delivery takes depends on its `Form`. INLINE has no ENVELOPE step: the content rides in the batch, so
its UP comes at the instant at which its node let go of it. CHUNKED announces first and is pulled: ENVELOPE comes
``latency_ns[h]`` after SUBMIT or the hop before. CHUNK is one part of shared content that a recipient serves to
another: UP, DOWN and NODE only, no submission, no receipt, no status. When a delivery has *arrived* (departure of its
last NODE), its receipt starts (latency later, at ``path[hops-1]``), its first status starts after
``status_delay_ns[0]`` at the recipient (each further status that much after the *departure of* ``status(k-1, 0)``),
and each child starts ``birth_ns[child]`` later.

**Laws**, each known on arrival or at the end of a round, and exact:

- *round* (loop): if the loop is free and nobody waits, a visit starts at once and ends after ``wake_ns + round_ns +
  cost``: a process that slept has to be woken, which one that goes from round to round has not.
  Otherwise it waits at its node, and the node joins the loop's line of nodes if it is not in it. When the loop gets
  free, the first node of that line is taken: up to ``round_max`` of *its* waiting visits, in their order, form a round
  that ends after ``round_ns`` + the sum of their costs; all of them leave at its end. If some of them still wait, the
  node joins the line again at its tail. (`docaxis.runtime` handles whatever waits at a node together; nodes in one
  process take turns.) A loop may have several servers (a node of several processes on one database): a free server
  takes a visit at once, and the first to get free takes the next round; rounds that end at one instant do so in the
  order in which they began.
- *group commit* (disk), fed by one loop, in the order in which it lets go; the visits of a round come together. A
  commit takes ``commit_ns``, and because disks stall now and then the k-th of disk d (k from 0, in the order in which
  they start) ``commit_extra_ns[(COMMIT_STRIDE * d + k) % length]`` on top. Arriving before the last scheduled commit
  has started joins it; arriving before it has ended joins the next, which starts when it ends; arriving later starts
  one. So a disk makes one commit at a time, whoever shares it.
- *fifo* (up, down): ``start = max(t, free); free = start + service``. Up leaves at ``free``; down is entered latency
  after the *start* at up and left at ``max(free, end at up + latency)``: bytes flow through.
- *lanes* and *ps* (up only; reference engine only): see `docaxis_sim.capacity.links`.

**Order.** Of all events known, the next is the earliest; at one instant ends of rounds come first (by loop number),
then what happens at up links by itself (lanes, ps; by link number), then tokens by their number. What comes about at
that very instant (something may cost nothing) takes its place among those still to come. So a round that starts at an
instant takes those who waited before it, and a token that comes at that instant finds the loop busy again. All engines
keep to it, so that they agree on every departure.

**End.** With `end_ns`, events at or before it are taken and no others; what leaves later is NEVER in the outcome, and a
round that has begun counts wholly, its commit too. A delivery is *expired* if it arrived later than `deadline_ns` after
its birth, or had not by `end_ns` though it was due; without outages being late changes nothing else.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Int16 = NDArray[np.int16]
Int8 = NDArray[np.int8]
Bool = NDArray[np.bool_]
Float = NDArray[np.float64]

SECOND_NS: Final = 1_000_000_000
MILLISECOND_NS: Final = 1_000_000
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 60 * MINUTE_NS
DAY_NS: Final = 24 * HOUR_NS

STEP_BITS: Final = 6
STEP_MASK: Final = (1 << STEP_BITS) - 1
HOPS_MAX: Final = 6
STATUSES_MAX: Final = 4
ROUND_MAX: Final = 256
COMMIT_STRIDE: Final = 7919
NEVER: Final = -1
"""In a column of times: did not happen."""

SUBMIT: Final = 0
ENVELOPE: Final = 0
UP: Final = 1
DOWN: Final = 2
NODE: Final = 3
_HOP_FIRST: Final = 1
_HOP_STEPS: Final = 4
RECEIPT_FIRST: Final = _HOP_FIRST + _HOP_STEPS * HOPS_MAX
STATUS_FIRST: Final = RECEIPT_FIRST + HOPS_MAX
_STATUS_STEPS: Final = HOPS_MAX + 1
STEPS: Final = STATUS_FIRST + _STATUS_STEPS * STATUSES_MAX

assert STEPS <= 1 << STEP_BITS


def hop(h: int, part: int) -> int:
    """The step of a hop: `part` is ENVELOPE, UP, DOWN or NODE."""
    return _HOP_FIRST + _HOP_STEPS * h + part


def receipt(j: int) -> int:
    """The step of the receipt's visit at ``path[hops-1-j]``."""
    return RECEIPT_FIRST + j


def status(k: int, j: int) -> int:
    """The step of the k-th status: j 0 at the recipient, j ≥ 1 at ``path[hops-j]`` on the way home."""
    return STATUS_FIRST + _STATUS_STEPS * k + j


class Form(IntEnum):
    """How a delivery's content travels."""

    INLINE = 0
    CHUNKED = 1
    CHUNK = 2


class Cost(IntEnum):
    """What a loop is asked to do; rows of `Stations.cost_ns`."""

    SUBMIT = 0
    """Take a document from a clerk, and its first recipient."""
    SUBMIT_MORE = 1
    """One more recipient of the same document."""
    ENVELOPE = 2
    """Verify and keep an envelope whose content will be pulled."""
    CONTENT = 3
    """Verify and keep the content (and the envelope, if it came along), state *arrived*."""
    RELAY = 4
    """Keep something for somebody else and hand it on."""
    RECEIPT = 5
    """Verify and keep a receipt."""
    STATE = 6
    """State a step of the document's handling."""
    STATUS = 7
    """Verify and keep such a statement."""


class Law(IntEnum):
    """How an up link is shared."""

    FIFO = 0
    LANES = 1
    PS = 2


class Stations(NamedTuple):
    """All stations. Arrays ``*_of`` have a row per node and name a station; the others have a row per station.

    `cost_ns` is ``(len(Cost), nodes)``: a node's own cost on whichever loop it runs. Links: ``ns_per_kib`` of each
    link. `blob_ns` and `blob_ns_per_kib` (per node) are a pure delay between down link and loop, in which blobs are
    written. `round_max` (1 to `ROUND_MAX`), `wake_ns` and `servers` are per loop. `commit_extra_ns` has at least one
    row and is one table for all disks. All nodes of a disk are on one loop. A service
    in a link is ``bytes * ns_per_kib >> 10``, the cost of CONTENT and RELAY is ``cost_ns + (bytes * content_ns_per_kib
    >> 10)``, a blob's delay ``blob_ns + (bytes * blob_ns_per_kib >> 10)``; INLINE content is not a blob.
    """

    loop_of: Int32
    disk_of: Int32
    up_of: Int32
    down_of: Int32
    cost_ns: Int64
    content_ns_per_kib: Int64
    blob_ns: Int64
    blob_ns_per_kib: Int64
    wake_ns: Int64
    round_ns: Int64
    round_max: Int32
    servers: Int32
    commit_ns: Int64
    commit_extra_ns: Int64
    up_ns_per_kib: Int64
    down_ns_per_kib: Int64
    up_law: Law


class Deliveries(NamedTuple):
    """One row per delivery, sorted by `birth_ns` among those without a parent; children come after all of them.

    `birth_ns`: when it is submitted, or for a child (`parent` ≥ 0) how long after its parent's arrival. `bytes`: what
    travels over links. `first`: pays SUBMIT, else SUBMIT_MORE. `path`: ``(HOPS_MAX + 1, n)`` node numbers, -1 beyond.
    `latency_ns`: ``(HOPS_MAX, n)`` one way, per hop. `status_delay_ns`: ``(statuses, n)``, NEVER where there is none
    (and then none follows). `deadline_ns`: after birth; what has not arrived by then expires. `group`: deliveries of
    one document share a number. `traffic`: row of the scenario's traffic. `priority`: 0–4 as in
    `docaxis.core.envelope`. `extra_ns`: for some steps at a loop, what each delivery costs there on top (drawn
    variation), never negative.
    """

    birth_ns: Int64
    parent: Int32
    bytes: Int64
    form: Int8
    first: Bool
    hops: Int8
    path: Int32
    latency_ns: Int64
    status_delay_ns: Int64
    deadline_ns: Int64
    priority: Int8
    traffic: Int16
    group: Int32
    extra_ns: dict[int, Int64]


class Outage(NamedTuple):
    """From `from_ns` until `until_ns`, nothing passes between the nodes of `inside` and all others, or nothing reaches
    or leaves any of them at all (`dark`: also among themselves; their loops stand still too)."""

    name: str
    inside: Int32
    from_ns: int
    until_ns: int
    dark: bool


class Plan(NamedTuple):
    """One replication, complete. `end_ns`: the run goes on until all is done or this time (0: until all is done)."""

    node_ids: tuple[str, ...]
    stations: Stations
    deliveries: Deliveries
    outages: tuple[Outage, ...]
    end_ns: int


class Run(NamedTuple):
    """What an engine made of a plan.

    `left_ns`: for each step that any delivery's form, hops and statuses foresee, the time at which each delivery left
    it (NEVER: it did not). `rounds` and `loop_busy_ns` per loop, `commits` per disk. `tries`: failed attempts per
    delivery; `expired`: whether its deadline passed before it arrived. `engine`: its name; `events`: how many it took;
    `seconds` is set by whoever timed it. `wakings`: per loop, how many of its rounds had to wake it. `area_ns`: how
    many visits were at all loops and disks together, then at each up link, then at each down link, summed up over time
    until the run ended: what the engine counted as visits came and left, modulo 2**64. Full machines count neither
    (both are empty).
    """

    engine: str
    left_ns: dict[int, Int64]
    rounds: Int64
    loop_busy_ns: Int64
    commits: Int64
    tries: Int32
    expired: Bool
    events: int
    seconds: float = 0.0
    wakings: Int64 = np.zeros(0, np.int64)
    area_ns: Int64 = np.zeros(0, np.int64)


class CannotCarry(Exception):
    """This engine cannot carry the plan exactly; the text names what, and which engine can."""


def last_node_step(hops: int) -> int:
    """The step whose departure is *arrived*."""
    return hop(hops - 1, NODE)


def arrived_ns(plan: Plan, run: Run) -> Int64:
    """When each delivery arrived; NEVER where it did not."""
    return _by_hops(plan, run, last_node_step)


def home_ns(plan: Plan, run: Run) -> Int64:
    """When the sender held each delivery's receipt; NEVER where it did not."""
    return _by_hops(plan, run, lambda hops: receipt(hops - 1))


def _by_hops(plan: Plan, run: Run, step_of: Callable[[int], int]) -> Int64:
    hops = plan.deliveries.hops
    times = np.full(len(hops), NEVER, np.int64)
    for count in np.unique(hops):
        step = step_of(int(count))
        if step in run.left_ns:
            which = hops == count
            times[which] = run.left_ns[step][which]
    return times

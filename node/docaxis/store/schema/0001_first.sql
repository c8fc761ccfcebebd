-- The first schema. Times are ms since 1970 UTC; ids, digests and heads are 32 bytes each.
--
-- A key made of a hash falls on a random page, and each such page costs a write of its own. So whatever can be is keyed
-- by `seq`, the order of coming, and rows name each other by it: of a document's rows, only the ids of its objects, the
-- digests of its chunks and the client's idempotency key lie scattered, each in a narrow index. A row that names an
-- envelope, an object or a head looks it up when it is written; what is not kept becomes NULL and is refused.

CREATE TABLE meta (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE heads (
    seq       INTEGER NOT NULL PRIMARY KEY,
    head      BLOB    NOT NULL UNIQUE,
    raw       BLOB    NOT NULL,
    signature BLOB    NOT NULL
);

-- `envelope`: for a statement, the `seq` of the envelope that it is about; `epoch` and `number`: its place in the chain
-- of its author, 0 for envelopes.
CREATE TABLE objects (
    seq       INTEGER NOT NULL PRIMARY KEY,
    id        BLOB    NOT NULL UNIQUE,
    kind      TEXT    NOT NULL,
    envelope  INTEGER,
    recipient TEXT    NOT NULL,
    author    TEXT    NOT NULL,
    epoch     INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    head      INTEGER NOT NULL,
    place     INTEGER NOT NULL,
    path      BLOB    NOT NULL,
    kept_ms   INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    CHECK ((kind = 'statement') = (envelope IS NOT NULL))
);
-- Everything said about a document; and what stands at one place of one chain, asked when a word comes out of turn.
CREATE INDEX objects_statements ON objects (envelope, recipient, author, epoch, number) WHERE envelope IS NOT NULL;
-- For resending.
CREATE INDEX objects_kept ON objects (kept_ms);

CREATE TABLE records (
    envelope      INTEGER NOT NULL,
    doc           BLOB    NOT NULL,
    recipient     TEXT    NOT NULL,
    sender        TEXT    NOT NULL,
    outgoing      INTEGER NOT NULL,
    priority      INTEGER NOT NULL,
    created_ms    INTEGER NOT NULL,
    expires_ms    INTEGER NOT NULL,
    progress      INTEGER NOT NULL,
    recalls       BLOB    NOT NULL,
    declined      BLOB    NOT NULL,
    agreed        INTEGER NOT NULL,
    mine_epoch    INTEGER NOT NULL,
    mine_seq      INTEGER NOT NULL,
    mine_last     BLOB    NOT NULL,
    theirs_epoch  INTEGER NOT NULL,
    theirs_seq    INTEGER NOT NULL,
    theirs_last   BLOB    NOT NULL,
    waits         TEXT    NOT NULL,
    due_ms        INTEGER NOT NULL,
    tries         INTEGER NOT NULL,
    superseded_by BLOB,
    receipt       BLOB,
    updated_ms    INTEGER NOT NULL,
    PRIMARY KEY (envelope, recipient)
) WITHOUT ROWID;
-- For paging, newest first; none of these columns ever changes.
CREATE INDEX records_pages ON records (outgoing, created_ms, doc, recipient);
CREATE INDEX records_due ON records (due_ms) WHERE due_ms > 0;

-- Which chunks a document names; `inline` holds the bytes of those that are no files. Each document has its own copy,
-- so that forgetting one document never needs to look at another.
CREATE TABLE content (
    seq      INTEGER NOT NULL PRIMARY KEY,
    envelope INTEGER NOT NULL,
    digest   BLOB    NOT NULL,
    inline   BLOB
);
CREATE UNIQUE INDEX content_claim ON content (envelope, digest);
CREATE INDEX content_digest ON content (digest);

-- `seq` is the order of queueing here; `object` is the `seq` of the object.
CREATE TABLE queue (
    peer          TEXT    NOT NULL,
    lane          INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    object        INTEGER NOT NULL,
    not_before_ms INTEGER NOT NULL,
    fails         INTEGER NOT NULL,
    PRIMARY KEY (peer, lane, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX queue_object ON queue (peer, object);

CREATE TABLE peers (
    peer          TEXT    NOT NULL PRIMARY KEY,
    fails         INTEGER NOT NULL,
    down_since_ms INTEGER NOT NULL,
    next_try_ms   INTEGER NOT NULL,
    epoch         INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE requests (
    seq    INTEGER NOT NULL PRIMARY KEY,
    key    TEXT    NOT NULL UNIQUE,
    digest BLOB    NOT NULL,
    answer BLOB    NOT NULL,
    at_ms  INTEGER NOT NULL
);

-- A cursor that was given out is never given out again.
CREATE TABLE changes (
    cursor    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    doc       BLOB    NOT NULL,
    recipient TEXT    NOT NULL,
    outgoing  INTEGER NOT NULL,
    code      TEXT    NOT NULL,
    state     INTEGER NOT NULL,
    author    TEXT    NOT NULL,
    at_ms     INTEGER NOT NULL
);

CREATE TABLE refusals (
    seq    INTEGER NOT NULL PRIMARY KEY,
    peer   TEXT    NOT NULL,
    code   TEXT    NOT NULL,
    detail TEXT    NOT NULL,
    at_ms  INTEGER NOT NULL
);

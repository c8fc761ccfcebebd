-- The first schema. Times are ms since 1970 UTC; ids, digests and heads are 32 bytes each.
--
-- Keys made of hashes fall on random pages, and each such page costs a write. So the wide rows lie in the order of
-- their coming (by `seq`, or by time), and only narrow indexes are keyed by hashes.

CREATE TABLE meta (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE heads (
    head      BLOB NOT NULL PRIMARY KEY,
    raw       BLOB NOT NULL,
    signature BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE objects (
    seq       INTEGER NOT NULL PRIMARY KEY,
    id        BLOB    NOT NULL UNIQUE,
    kind      TEXT    NOT NULL,
    doc       BLOB    NOT NULL,
    recipient TEXT    NOT NULL,
    author    TEXT    NOT NULL,
    head      BLOB    NOT NULL REFERENCES heads (head) DEFERRABLE INITIALLY DEFERRED,
    place     INTEGER NOT NULL,
    path      BLOB    NOT NULL,
    kept_ms   INTEGER NOT NULL,
    body      BLOB    NOT NULL
);
-- An envelope is found by its id, which is the document's: only statements need the second way.
CREATE INDEX objects_statements ON objects (doc) WHERE kind = 'statement';
-- For resending; it only ever grows at its end.
CREATE INDEX objects_kept ON objects (kept_ms);

-- In the order in which people page through them; `outgoing` and `created_ms` never change.
CREATE TABLE records (
    doc           BLOB    NOT NULL REFERENCES objects (id) DEFERRABLE INITIALLY DEFERRED,
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
    PRIMARY KEY (outgoing, created_ms, doc, recipient)
) WITHOUT ROWID;
CREATE UNIQUE INDEX records_key ON records (doc, recipient);
CREATE INDEX records_due ON records (due_ms) WHERE due_ms > 0;

-- Which chunks a document names; `inline` holds the bytes of those that are no files. Each document has its own copy,
-- so that forgetting one document never needs to look at another.
CREATE TABLE content (
    seq    INTEGER NOT NULL PRIMARY KEY,
    doc    BLOB    NOT NULL,
    digest BLOB    NOT NULL,
    inline BLOB
);
CREATE UNIQUE INDEX content_claim ON content (doc, digest);
CREATE INDEX content_digest ON content (digest);

CREATE TABLE queue (
    peer          TEXT    NOT NULL,
    lane          INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    object        BLOB    NOT NULL REFERENCES objects (id) DEFERRABLE INITIALLY DEFERRED,
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
    key    TEXT    NOT NULL PRIMARY KEY,
    digest BLOB    NOT NULL,
    answer BLOB    NOT NULL,
    at_ms  INTEGER NOT NULL
) WITHOUT ROWID;

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

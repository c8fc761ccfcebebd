"""Limits: every bound of the node, with its unit last in its name, beside its neighbours.

Values only. Relations between bounds are asserted on import, so that a change that breaks one fails at once.
"""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
SECOND_MS: Final = 1000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

# one object
ENVELOPE_BYTES_MAX: Final = 256 * KIB
STATEMENT_BYTES_MAX: Final = 12 * KIB
HEAD_BYTES_MAX: Final = 512
RECIPIENTS_MAX: Final = 16_384
NESTING_MAX: Final = 8
DECODED_ITEMS_MAX: Final = 65_536
TREE_LEAVES_MAX: Final = 65_536
PATH_HASHES_MAX: Final = 16
REASON_CHARS_MAX: Final = 2_000
RECALLS_MAX: Final = 64

# content
FILES_MAX: Final = 64
FILE_NAME_CHARS_MAX: Final = 500
CHUNK_BYTES: Final = 1 * MIB
CHUNK_BYTES_MAX: Final = 4 * MIB
CHUNKS_LISTED_MAX: Final = 256
CONTENT_BYTES_MAX: Final = 16 * MIB
INLINE_BYTES_MAX: Final = 64 * KIB

# one evidence file
EVIDENCE_BYTES_MAX: Final = 128 * MIB
EVIDENCE_STATEMENTS_MAX: Final = 131_072
EVIDENCE_PROOFS_MAX: Final = 65_536
EVIDENCE_ITEMS_MAX: Final = 4_194_304
CLOCK_NOTED_MS: Final = 1 * HOUR_MS

# one request between nodes
BATCH_ITEMS_MAX: Final = 256
BATCH_BYTES_MAX: Final = 4 * MIB
BATCH_BYTES_FILL: Final = 1 * MIB
ANSWER_BYTES_MAX: Final = 4 * MIB
DIRECTORY_FILE_BYTES_MAX: Final = 16 * MIB

# delivery
LANES: Final = 5
LANE_MEMORY_ITEMS_MAX: Final = 512
WINDOW_MAX: Final = 4
FLIGHTS_MAX: Final = 256
RETRY_DELAY_MS_MIN: Final = 1 * SECOND_MS
RETRY_DELAY_MS_MAX: Final = 5 * MINUTE_MS
RETRY_DELAY_LONG_OUTAGE_MS_MAX: Final = 10 * MINUTE_MS
OUTAGE_LONG_MS: Final = 6 * HOUR_MS
BREAKER_FAILS: Final = 3
ITEM_FAILS_MAX: Final = 5
ITEM_RETRY_DELAY_MS: Final = 5 * SECOND_MS
PARKED_RETRY_DELAY_MS: Final = 1 * HOUR_MS
CONTENT_RETRY_DELAY_MS_MIN: Final = 1 * SECOND_MS
CONTENT_RETRY_DELAY_MS_MAX: Final = 10 * MINUTE_MS
FETCHES_MAX: Final = 32
DUE_SCAN_INTERVAL_MS: Final = 1 * MINUTE_MS
DUE_SCAN_ITEMS_MAX: Final = 256
EXPIRES_DEFAULT_MS: Final = 60 * DAY_MS
EXPIRES_MS_MIN: Final = 1 * SECOND_MS
EXPIRES_MS_MAX: Final = 730 * DAY_MS
CREDIT_ITEMS_MAX: Final = 4_096
INBOX_EVENTS_MAX: Final = 8_192
RECORDS_CACHED_MAX: Final = 8_192
RECORDS_CACHED_BYTES_MAX: Final = 32 * MIB
HEADS_CACHED_MAX: Final = 1_024

# directory
DIRECTORY_FRESH_MS: Final = 24 * HOUR_MS
DIRECTORY_AGEING_MS: Final = 7 * DAY_MS
DIRECTORY_STALE_MS: Final = 30 * DAY_MS

# resynchronisation after a restore
RESYNC_MARGIN_MS: Final = 30 * DAY_MS
"""How long before a backup something may have been kept that reached the restored peer only after it."""
RESYNC_PAUSE_MS: Final = 1 * MINUTE_MS
"""How often, at most, everything exchanged with one peer is looked for because it says that it was restored."""

assert HEAD_BYTES_MAX < STATEMENT_BYTES_MAX < ENVELOPE_BYTES_MAX < BATCH_BYTES_FILL < BATCH_BYTES_MAX
assert INLINE_BYTES_MAX < CHUNK_BYTES <= CHUNK_BYTES_MAX
assert CHUNKS_LISTED_MAX * CHUNK_BYTES >= CONTENT_BYTES_MAX
assert ENVELOPE_BYTES_MAX + INLINE_BYTES_MAX < BATCH_BYTES_FILL
assert 2**PATH_HASHES_MAX >= TREE_LEAVES_MAX >= BATCH_ITEMS_MAX
assert RETRY_DELAY_MS_MIN < RETRY_DELAY_MS_MAX < RETRY_DELAY_LONG_OUTAGE_MS_MAX < EXPIRES_DEFAULT_MS < EXPIRES_MS_MAX
assert DIRECTORY_FRESH_MS < DIRECTORY_AGEING_MS < DIRECTORY_STALE_MS < EXPIRES_DEFAULT_MS

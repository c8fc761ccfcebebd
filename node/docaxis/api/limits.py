"""Limits of the local API: every bound with its unit last in its name.

Values only; the bounds of the protocol itself are in `docaxis.core.limits`.
"""

from typing import Final

from docaxis.core import limits

REQUEST_BYTES_MAX: Final = 2 * limits.MIB
"""A JSON body: room for the most recipients, or for the most inline content."""
KEY_CHARS_MAX: Final = 128
PAGE_ITEMS: Final = 50
PAGE_ITEMS_MAX: Final = 500
CURSOR_CHARS_MAX: Final = 400
CHANGES_MAX: Final = 1_000
WAIT_S: Final = 50
WAIT_S_MAX: Final = 60
WAITERS_MAX: Final = 4_096
UPLOADS_MAX: Final = 16
NUMBERS_MAX: Final = 4_096
HISTORY_ITEMS_MAX: Final = 5_000
PREFIX_DIGITS_MIN: Final = 8
RETRY_AFTER_S: Final = 1

assert REQUEST_BYTES_MAX > limits.RECIPIENTS_MAX * 64
assert REQUEST_BYTES_MAX > 2 * limits.INLINE_BYTES_MAX + limits.ENVELOPE_BYTES_MAX

"""Whole axes for tests and demonstrations: real nodes on loopback, with a throw-away directory made by a real ceremony.

Part of the product: everything here drives what an agency runs, and nothing here replaces a part of it by a fake.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docaxis.testing.axis import AxisNode, LocalAxis

__all__ = ["AxisNode", "LocalAxis"]


def __getattr__(name: str) -> object:
    """Loads the axis when it is asked for: the pytest plugin lives here too, and every test run imports that."""
    if name in __all__:
        from docaxis.testing import axis  # noqa: PLC0415 - see above

        return getattr(axis, name)
    raise AttributeError(name)

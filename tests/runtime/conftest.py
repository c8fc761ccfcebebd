"""What the tests of the runtime share: a small town (see `town`)."""

from pathlib import Path

import pytest

from tests.runtime.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Two agencies, whose nodes do not run yet."""
    return Town(tmp_path, ["G22", "H49"])

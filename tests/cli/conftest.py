"""What the tests of the commands share: folders of nodes that do not run yet, and offices whose nodes do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.axis import Offices, opened
from tests.runtime.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Two agencies, whose nodes do not run yet."""
    return Town(tmp_path / "country", ["G22", "H49"])


@pytest.fixture(scope="session")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offices]:
    """G22 and H49 run in a process of their own, H54 is switched off."""
    with opened(tmp_path_factory.mktemp("offices") / "axis") as found:
        yield found

"""A page of an answer in a real Chromium, with everything that it asked for or complained about."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM: Final = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)


class Opened(NamedTuple):
    """A page that is open, what it asked for and what it complained about."""

    page: Any
    asked: list[str]
    complaints: list[str]


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """The page in a file; skips the test where there is no browser."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: tools/chromium --install brings it")
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        found = Opened(browser.new_page(), [], [])
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.on("console", lambda message: found.complaints.append(message.text))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on("dialog", lambda dialog: found.complaints.append(dialog.message))
        found.page.goto(path.as_uri())
        yield found
        browser.close()

"""The picture of a report, for pages: runs a scenario, opens its report in Chromium, and keeps the map beside the day.

`.venv/bin/python -m tools.picture pm-decision simulation/docs/pm-decision.png`. Needs what `tools/test` installs, and a
Chromium (`tools/chromium`). It draws nothing itself.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

ROOT: Final = Path(__file__).resolve().parents[1]
WIDTH: Final = 1000
PARTS: Final = ("h1", ".cards", "#places")
"""What is in the picture: everything from the first to the last of these."""


def chromium() -> str:
    """The Chromium of this machine, found as the tests find it."""
    found = subprocess.run([str(ROOT / "tools" / "chromium")], capture_output=True, text=True, check=False)
    if found.returncode:
        sys.exit(found.stderr.strip())
    return found.stdout.strip()


def take(page_file: Path, picture: Path) -> None:
    """A picture of the wanted parts of a report."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(page_file.as_uri())
        page.add_style_tag(content="nav, #answer { display: none } h2 { border: 0 !important }")
        boxes = [box for part in PARTS if (box := page.locator(part).first.bounding_box())]
        top, bottom = boxes[0]["y"] - 8, boxes[-1]["y"] + boxes[-1]["height"] + 8
        clip = {"x": 0, "y": top, "width": WIDTH, "height": bottom - top}
        page.screenshot(path=str(picture), full_page=True, clip=clip)  # type: ignore[arg-type]  # numbers, as it wants
        browser.close()


def main() -> int:
    """Runs the scenario and takes the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("scenario", help="a scenario's name or file")
    parser.add_argument("picture", type=Path, help="the PNG to write")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(Path(sys.executable).parent / "docaxis"),
            "simulate",
            "run",
            options.scenario,
            "--report",
            folder,
        ]
        code = subprocess.run(command, check=False).returncode
        if code not in (0, 1):
            return code
        take(Path(folder) / "index.html", options.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())

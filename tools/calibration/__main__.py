"""`tools/calibrate`: measures what a node costs on this machine and writes a calibration file for the simulator.

Real nodes on loopback, in two processes. Nothing is judged: what the figures are good for is said by `tools/validate`
and in `simulation/docs/validation.md`.
"""

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console

from docaxis.core.errors import DocaxisError
from docaxis_sim.capacity.costs import Costs
from tools.benchmarks.__main__ import machine, show
from tools.calibration.costing import costs_of, handshakes, loopback_ns
from tools.calibration.crowd import crowd
from tools.calibration.fit import Fit, fit
from tools.calibration.measure import Taken, measure, quietest
from tools.calibration.surroundings import disk_ms
from tools.validation.contended import SharedHost

METHOD: Final = (
    "Processor time of whole processes over loads whose documents come alone, in bursts, to one and to eight "
    "recipients, inline and pulled, and to a peer that stands still; non-negative least squares on rounds, wake-ups, "
    "requests and things, each load weighing alike, as in its quietest pass, and as on processors as fast as these "
    "usually were by a yardstick that is timed meanwhile. Connections are told by the same documents with and without "
    "new ones; commits, blobs and bytes are measured directly."
)
ROOT: Final = Path(__file__).resolve().parents[2]
TARGET: Final = ROOT / "scenarios" / "calibration" / "node-2026-11.json"
SHARE: Final = 100
DISK_S: Final = 5.0
CROWD_S: Final = 5.0
"""At each pace."""


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measures; the object that is written."""
    taken = quietest([asyncio.run(measure(args.folder, args.effort)) for _ in range(args.passes)])
    found = fit(taken.rows)
    costs = costs_of(taken, found)
    host = SharedHost(loopback_ns(taken, costs), statistics.median(taken.yardsticks_ns), ())
    rows = asyncio.run(crowd(args.folder, Costs(**costs, provenance={}), host, CROWD_S * args.effort))
    return {
        "costs": costs,
        "shared_host": host._replace(crowd=tuple(rows))._asdict(),
        "provenance": provenance(taken, found, costs, args),
    }


def provenance(taken: Taken, found: Fit, costs: dict[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """Where the costs come from, and how sure they are."""
    share = statistics.quantiles(taken.alone_commit_ns, n=SHARE)
    return {
        "source": "tools/calibrate",
        "method": METHOD,
        "machine": machine(),
        "commit": _commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "effort": args.effort,
        "passes": args.passes,
        "documents": taken.documents,
        "loads": len(taken.rows),
        "others_cores": round(taken.others_cores, 3),
        "disk_alone_ms": disk_ms(args.folder, DISK_S),
        "yardstick_us": {
            name: round(ns / 1000, 1)
            for name, ns in zip(("p10", "p50", "p90"), np.percentile(taken.yardsticks_ns, (10, 50, 90)), strict=True)
        },
        "fit_median_error": round(found.error, 4),
        "per_thing_us": {
            name: {
                "best": round(found.ns[name] / 1000, 1),
                "p5": round(found.low_ns[name] / 1000, 1),
                "p95": round(found.high_ns[name] / 1000, 1),
            }
            for name in found.ns
        },
        "bootstrap_samples": found.samples,
        "handshake_us": {name: [round(ns / 1000, 1) for ns in ends] for name, ends in handshakes(taken).items()},
        "commit_ms": {"samples": len(taken.alone_commit_ns), **{
            f"p{q}": round(share[q - 1] / 1e6, 3) for q in (50, 90, 99)
        }, "max": round(max(taken.alone_commit_ns) / 1e6, 1)},
        "alone_home_ms": round(statistics.median(taken.alone_home_ns) / 1e6, 3),
        "derived": {
            "relay_ns": "nodes do not relay yet: what a recipient does, and what a sender does for one more recipient",
            "envelope_ns": "what pulling costs a recipient beyond the same content inline, its own request included",
        },
    }  # fmt: skip


def text_of(found: dict[str, Any]) -> str:
    """The file: a line for each value, and one for a list of numbers."""
    lines = json.dumps(found, indent=1)
    return re.sub(r"\[[\s\d,]+\]", lambda match: re.sub(r"\s+", " ", match.group()), lines) + "\n"


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def main(words: list[str]) -> int:
    """Measures, tells, and writes the file unless told not to."""
    parser = argparse.ArgumentParser(prog="tools/calibrate", description="Measures what a node costs on this machine.")
    parser.add_argument("--out", type=Path, default=TARGET, help="the file to write (default: the one scenarios use)")
    parser.add_argument("--effort", type=float, default=1.0, help="documents, relative to the ordinary number")
    parser.add_argument("--passes", type=int, default=3, help="how often everything is measured (default 3)")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="on whose disk nodes live")
    parser.add_argument("--json", action="store_true", help="print the object, too; the tables go to stderr")
    args = parser.parse_args(words)
    try:
        found = run(args)
    except (DocaxisError, OSError, ValueError) as error:
        sys.stderr.write(f"not calibrated: {error}\n")
        return 1
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text_of(found), encoding="utf-8")
    plain = {name: value for name, value in found["costs"].items() if name != "commit_extra_ns"}
    beside = [
        {"busy": busy, "factor": factor, "p50_ms": ns[len(ns) // 2] / 1e6, "p99_ms": ns[-3] / 1e6}
        for busy, factor, ns in found["shared_host"]["crowd"]
    ]
    shared = found["shared_host"]
    host = {"latency_ms": shared["latency_ns"] / 1e6, "yardstick_ms": shared["yardstick_ns"] / 1e6, "crowd": beside}
    shown = {"costs": plain, "shared_host": host, "provenance": found["provenance"]}
    show(shown, Console(file=sys.stderr if args.json else sys.stdout, width=None if sys.stdout.isatty() else 160))
    if args.json:
        print(json.dumps(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

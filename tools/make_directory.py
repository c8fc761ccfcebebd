"""Makes a directory of any size: the 95 agencies of 2019 and as many units below them as wanted.

`.venv/bin/python -m tools.make_directory FOLDER --entries 12000` writes a publisher's folder, made by a ceremony with
throw-away officers. Agencies are real (`scenarios/data/vietnam`), units are synthetic: codes in the form of Decision
20/2020/QĐ-TTg, older codes as aliases, spread as districts and communes are; their keys are numbers nobody holds.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from docaxis.core.addresses import Entry
from docaxis.core.ids import PartyId
from docaxis.directory.ceremony import Ceremony
from docaxis.directory.entries import make_key, simple_entry
from docaxis.seal.certificates import make_certificate
from docaxis.seal.keys import new_tls_key

DATA: Final = Path(__file__).resolve().parent.parent / "scenarios" / "data" / "vietnam"
DEPARTMENTS: Final = 29
FIRST_DISTRICT: Final = 30
OFFICES: Final = 12
FIRST_COMMUNE: Final = 20
GROUP_MAX: Final = 99
CENTRAL_WEIGHT: Final = 60


class Agency(NamedTuple):
    """One of the 95, with what lies below it; a central agency has no districts and communes."""

    code: PartyId
    name_vi: str
    name_en: str
    kind: str
    districts: int
    communes: int

    @property
    def weight(self) -> int:
        """Its share of the units, relative to others'."""
        return self.districts + self.communes + DEPARTMENTS if self.districts else CENTRAL_WEIGHT


class Unit(NamedTuple):
    """One unit: groups of its code below the agency's, and what it is."""

    groups: tuple[int, ...]
    kind: str
    name: str


def agencies() -> list[Agency]:
    """The 95 agencies in the order of their file."""
    with (DATA / "provinces.csv").open(encoding="utf-8", newline="") as file:
        provinces: Mapping[str, Mapping[str, str]] = {row["province_code"]: row for row in csv.DictReader(file)}
    with (DATA / "agencies.csv").open(encoding="utf-8", newline="") as file:
        return [
            Agency(
                PartyId(row["code"]),
                row["name_vi"],
                row["name_en"],
                row["kind"],
                int(provinces.get(row["code"], {}).get("districts", 0)),
                int(provinces.get(row["code"], {}).get("communes", 0)),
            )
            for row in csv.DictReader(file)
        ]


def units(agency: Agency) -> Iterator[Unit]:
    """The units of an agency, without end for all practical purposes, parents before children."""
    for number in range(1, DEPARTMENTS + 1):
        yield Unit((number,), "department", f"Sở, ban {number}")
    for number in range(agency.districts):
        yield Unit((FIRST_DISTRICT + number,), "district", f"Huyện {number + 1}")
    for number in range(agency.communes):
        district, commune = number % agency.districts, number // agency.districts
        yield Unit((FIRST_DISTRICT + district, FIRST_COMMUNE + commune), "commune", f"Xã {number + 1}")
    for district in range(agency.districts):
        for office in range(1, OFFICES + 1):
            yield Unit((FIRST_DISTRICT + district, office), "office", f"Phòng {office}, huyện {district + 1}")
    for part in range(1, GROUP_MAX + 1):
        for number in range(1, DEPARTMENTS + 1):
            yield Unit((number, part), "division", f"Phòng {part}, sở {number}")
    for part in range(1, GROUP_MAX + 1):
        for number in range(1, DEPARTMENTS + 1):
            for below in range(1, GROUP_MAX + 1):
                yield Unit((number, below, part), "station", f"Trạm {part}, phòng {below}, sở {number}")


def shares(of: list[Agency], count: int) -> list[int]:
    """How many units each agency gets so that all entries together are `count`; largest remainders get one more."""
    left = count - len(of)
    if left < 0:
        raise ValueError(f"at least {len(of)} entries: the agencies themselves")
    total = sum(each.weight for each in of)
    exact = [left * each.weight / total for each in of]
    floors = [int(each) for each in exact]
    by_remainder = sorted(range(len(of)), key=lambda i: (floors[i] - exact[i], i))
    for index in by_remainder[: left - sum(floors)]:
        floors[index] += 1
    return floors


def alias(agency: PartyId, groups: tuple[int, ...]) -> str:
    """The older code of QCVN 102:2016, four groups from the lowest level to the highest."""
    one, two, three = (*groups, 0, 0, 0)[:3]
    return f"{three:03}.{two:02}.{one:02}.{agency}"


def public_key(party: PartyId) -> bytes:
    """Thirty-two bytes that stand for a key nobody holds."""
    return sha256(b"synthetic key of " + party.encode()).digest()


def agency_entry(agency: Agency, port: int, tls_key: bytes, now_ms: int) -> Entry:
    """An agency that runs a node."""
    return simple_entry(agency.code, agency.name_vi, agency.name_en, agency.kind)._replace(
        endpoints=(f"https://127.0.0.1:{port}",),
        keys=(make_key(public_key(agency.code), now_ms),),
        certificates=(make_certificate(agency.code, tls_key, now_ms),),
        aliases=(alias(agency.code, ()),),
    )


def unit_entry(agency: Agency, unit: Unit, now_ms: int) -> Entry:
    """A unit whose mailbox is at its agency."""
    codes = [agency.code, *(f"{group:02}" for group in unit.groups)]
    party, parent = PartyId(".".join(codes)), PartyId(".".join(codes[:-1]))
    name = f"{unit.name}, {agency.name_vi}"
    return simple_entry(party, name, f"{unit.kind} {party}", unit.kind, parent=parent)._replace(
        via=(agency.code,),
        keys=(make_key(public_key(party), now_ms),),
        aliases=(alias(agency.code, unit.groups),),
    )


def make(folder: Path, count: int, now_ms: int) -> Ceremony:
    """Writes and publishes a directory of `count` entries; raises `ValueError` for fewer than the agencies."""
    known = agencies()
    ceremony = Ceremony(folder, now_ms)
    tls_key = new_tls_key()
    for port, (agency, share) in enumerate(zip(known, shares(known, count), strict=True), 20_000):
        below = [unit_entry(agency, unit, now_ms) for unit in islice(units(agency), share)]
        ceremony.add_agency([agency_entry(agency, port, tls_key, now_ms), *below])
    ceremony.publish(now_ms)
    return ceremony


def main(words: list[str] | None = None) -> int:
    """Makes one and says where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a new folder")
    parser.add_argument("--entries", type=int, default=95, metavar="N", help="95, 12000, 125000 … (default 95)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(words)
    if options.folder.exists() and any(options.folder.iterdir()):
        parser.error(f"{options.folder} is not empty")
    try:
        ceremony = make(options.folder, options.entries, time.time_ns() // 10**6)
    except ValueError as error:
        parser.error(str(error))
    public = ceremony.public
    found = {
        "entries": options.entries,
        "public": str(public),
        "root": str(public / "1.root.json"),
        "bytes": sum(path.stat().st_size for path in public.rglob("*") if path.is_file()),
    }
    print(json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

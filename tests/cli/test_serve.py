"""A node starts only as the party whose certificate and documents its folder holds."""

from dataclasses import replace
from io import StringIO

import pytest

from docaxis.cli.serve import open_service
from docaxis.core.errors import OurFault
from docaxis.runtime import config
from docaxis.runtime import folder as places
from tests.runtime.town import Town, eventually, submission


def renamed(town: Town, code: str, other: str) -> config.Settings:
    """The settings of one agency with the code of another."""
    settings = town.settings[code]
    return replace(settings, node=replace(settings.node, id=other))


async def test_a_changed_id_is_refused_before_anything_is_opened(town: Town) -> None:
    """Peers would refuse the certificate at every call, and nobody would know why."""
    with pytest.raises(OurFault, match=r"node\.config.*node\.id is H49, but .* certificate of G22") as caught:
        await open_service(town.folder("G22"), renamed(town, "G22", "H49"), log_to=StringIO())
    assert "set node.id back" in caught.value.detail
    assert not (town.folder("G22") / places.DATABASE).exists()


@pytest.mark.parametrize("content", [None, b"nothing"])
async def test_a_certificate_that_cannot_be_read_is_named(town: Town, content: bytes | None) -> None:
    """The path is what the operator needs."""
    path = town.folder("G22") / places.TLS_CERTIFICATE
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OurFault, match=r"node\.keys.*tls\.crt"):
        await open_service(town.folder("G22"), town.settings["G22"], log_to=StringIO())


@pytest.mark.parametrize("owner", ["G22", "H49"])
async def test_the_documents_of_another_party_are_left_alone(town: Town, owner: str) -> None:
    """A database of another node under new keys would say what its party never said: the sender's and a recipient's."""
    async with town.running("G22") as office, town.running("H49") as province:
        await office.node.submit(submission(["H49"]))

        async def arrived() -> bool:
            return bool(await province.node.store.documents(False, None, 1, None))

        await eventually(arrived)
    other = {"G22": "H49", "H49": "G22"}[owner]
    for path in town.folder(other).glob(f"{places.DATABASE}*"):
        path.unlink()
    (town.folder(owner) / places.DATABASE).rename(town.folder(other) / places.DATABASE)
    with pytest.raises(OurFault, match=rf"node\.config.*node\.id is {other}, but .* those of {owner}"):
        async with town.running(other):
            pass

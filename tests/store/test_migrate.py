"""Migrations on real files: forward only, each step whole or not at all, and no program opens what it cannot read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from docaxis.core.errors import OurFault
from docaxis.store import migrate
from docaxis.store.migrate import SCHEMA, STEPS, Step

FIRST = Step("0001_first.sql", 1, "the first")
SECOND = Step("0002_second.sql", 1, "a table that older programs need not know")
THIRD = Step("0003_third.sql", 3, "something that older programs would break")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of steps: our first one, and two that may come."""
    (tmp_path / FIRST.file).write_text((SCHEMA / FIRST.file).read_text())
    (tmp_path / SECOND.file).write_text("-- a comment; with a semicolon\nCREATE TABLE second (\n a TEXT\n);\n")
    (tmp_path / THIRD.file).write_text("CREATE TABLE third (a TEXT);\nINSERT INTO third VALUES ('x;y');\n")
    return tmp_path


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A real file."""
    with closing(sqlite3.connect(tmp_path / "node.db", isolation_level=None)) as opened:
        yield opened


def tables(connection: sqlite3.Connection) -> set[str]:
    """Names of all tables."""
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_the_list_and_the_folder_name_the_same_steps() -> None:
    """A step that is not in the list never runs; one that is not in the folder stops every node."""
    assert [step.file for step in STEPS] == sorted(path.name for path in SCHEMA.glob("*.sql"))
    for number, step in enumerate(STEPS, 1):
        assert step.file.startswith(f"{number:04}_")
        assert 1 <= step.compatible_from <= number


def test_a_new_database_takes_every_step_once(connection: sqlite3.Connection) -> None:
    """And a second opening none."""
    assert migrate.upgrade(connection) == 0
    assert {"objects", "records", "queue", "changes"} <= tables(connection)
    assert migrate.upgrade(connection) == migrate.version(connection) == len(STEPS)


def test_an_older_database_takes_the_steps_it_lacks(connection: sqlite3.Connection, folder: Path) -> None:
    """What it holds stays."""
    migrate.upgrade(connection, (FIRST,), folder)
    connection.execute("INSERT INTO refusals VALUES (1, 'H49', 'party.unknown', '', 5)")
    assert migrate.upgrade(connection, (FIRST, SECOND, THIRD), folder) == 1
    assert {"second", "third"} <= tables(connection)
    assert connection.execute("SELECT a FROM third").fetchall() == [("x;y",)]
    assert connection.execute("SELECT count(*) FROM refusals").fetchone() == (1,)


def test_an_older_program_opens_a_newer_database_that_it_can_use(connection: sqlite3.Connection, folder: Path) -> None:
    """Going back one release must be possible where nothing stands against it."""
    migrate.upgrade(connection, (FIRST, SECOND), folder)
    assert migrate.upgrade(connection, (FIRST,), folder) == 2
    assert migrate.version(connection) == 2


def test_an_older_program_refuses_a_newer_database_that_it_would_break(
    connection: sqlite3.Connection, folder: Path
) -> None:
    """The refusal comes before the first row is read or written."""
    migrate.upgrade(connection, (FIRST, SECOND, THIRD), folder)
    with pytest.raises(OurFault) as refused:
        migrate.upgrade(connection, (FIRST, SECOND), folder)
    assert refused.value.code == "store.too-new"


def test_a_step_that_fails_leaves_the_database_as_it_was(connection: sqlite3.Connection, folder: Path) -> None:
    """A node whose upgrade failed starts again with the program it had."""
    migrate.upgrade(connection, (FIRST,), folder)
    (folder / SECOND.file).write_text("CREATE TABLE second (a TEXT);\nCREATE TABLE second (a TEXT);\n")
    with pytest.raises(sqlite3.OperationalError):
        migrate.upgrade(connection, (FIRST, SECOND), folder)
    assert "second" not in tables(connection)
    assert migrate.version(connection) == 1


def test_a_database_of_somebody_else_is_left_alone(connection: sqlite3.Connection) -> None:
    """A wrong path in a configuration must not cost another program its data."""
    connection.execute("CREATE TABLE theirs (a TEXT)")
    with pytest.raises(OurFault, match="not one of a node"):
        migrate.upgrade(connection)
    connection.execute("PRAGMA user_version = 1")
    with pytest.raises(OurFault, match="not one of a node"):
        migrate.upgrade(connection)
    assert tables(connection) == {"theirs"}


def test_a_script_without_its_last_semicolon_is_a_mistake() -> None:
    """Its last statement would silently not run."""
    with pytest.raises(AssertionError, match="without its end"):
        list(migrate.statements("CREATE TABLE a (b TEXT);\nCREATE TABLE b (c TEXT)"))

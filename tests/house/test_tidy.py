"""The ratchets of tools/tidy.py, on small trees that break one rule each."""

from pathlib import Path

import pytest

from tools import tidy

SIGN = '"""What it is for.\n\nWhat may not live here.\n"""\n'


def tree(root: Path, files: dict[str, str]) -> Path:
    """Write files below a root."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def texts(root: Path, allowed: dict[str, str] | None = None) -> list[str]:
    """The findings of a tree as they are printed."""
    return [str(finding) for finding in tidy.findings(root, allowed or {})]


def test_a_well_kept_file_gives_no_finding(tmp_path: Path) -> None:
    """Rules that cry wolf are switched off."""
    assert texts(tree(tmp_path, {"node/docaxis/core/ids.py": SIGN + "x = 1\n"})) == []


def test_a_file_at_the_limit_is_noted_and_one_line_more_is_refused(tmp_path: Path) -> None:
    """The limit is 500 lines, exactly; 300 are wished for."""
    tree(
        tmp_path,
        {"tools/wished.py": "x = 1\n" * 300, "tools/noted.py": "x = 1\n" * 500, "tools/refused.py": "x = 1\n" * 501},
    )
    assert texts(tmp_path) == [
        "tools/noted.py:1: note: 500 lines; 300 are wished for",
        "tools/refused.py:1: 501 lines; the limit is 500: split it by subject",
    ]


def test_an_allowance_needs_a_reason_and_ends_when_it_is_idle(tmp_path: Path) -> None:
    """An exception that nobody needs any more would hide the next long file."""
    tree(tmp_path, {"tools/long.py": "x = 1\n" * 501, "tools/short.py": "x = 1\n"})
    allowed = {"tools/long.py": "a table that is read from top to bottom", "tools/short.py": "it was long once"}
    assert texts(tmp_path, allowed) == ["tools/short.py:1: no longer needs its entry in LONG_FILES: take it out"]
    assert texts(tmp_path, {"tools/long.py": " "}) == ["tools/long.py:1: is allowed to be long without a reason"]


def test_an_allowance_for_a_file_that_is_gone_is_idle(tmp_path: Path) -> None:
    """A file that was split leaves no permit behind."""
    allowed = {"tools/gone.py": "it was long once"}
    assert texts(tmp_path, allowed) == ["tools/gone.py:1: no longer needs its entry in LONG_FILES: take it out"]


@pytest.mark.parametrize("word", ["def", "async def"])
def test_a_function_longer_than_a_screen_is_refused(tmp_path: Path, word: str) -> None:
    """Sixty lines pass, sixty-one do not, wherever the function is nested."""
    short, long = f"{word} short():\n" + "    x = 1\n" * 59, f"{word} long():\n" + "        x = 1\n" * 60
    tree(tmp_path, {"tests/test_it.py": f"{short}\nclass Room:\n    {long}"})
    assert texts(tmp_path) == ["tests/test_it.py:63: long has 61 lines; the limit is 60: give its parts names"]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", "opens without a docstring: its first line says what the file is for"),
        ("x = 1\n", "opens without a docstring: its first line says what the file is for"),
        ('"""What it is for."""\n', "the docstring has no second paragraph: say what may not live here"),
        ('"""What it\nis for.\n\nNot this.\n"""\n', "the docstring's first paragraph is more than one line"),
    ],
)
@pytest.mark.parametrize("package", ["node/docaxis", "simulation/docaxis_sim"])
def test_each_room_has_a_sign_on_its_door(tmp_path: Path, package: str, text: str, finding: str) -> None:
    """The first line says what a file is for, the second paragraph what may not live in it."""
    name = f"{package}/core/ids.py"
    assert texts(tree(tmp_path, {name: text})) == [f"{package}/core/ids.py:1: {finding}"]


def test_tests_and_tools_need_no_second_paragraph(tmp_path: Path) -> None:
    """The sign is for rooms of the two packages."""
    assert texts(tree(tmp_path, {"tests/test_it.py": "x = 1\n", "tools/draw.py": "x = 1\n"})) == []


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "X" + "XX"])
def test_a_bare_marker_is_refused_and_one_that_says_its_end_stays(tmp_path: Path, word: str) -> None:
    """A note to oneself without an end is a promise to nobody."""
    tree(
        tmp_path,
        {"tools/it.py": f"# {word} later\n# {word}(when 3.12 is the floor): use the new form\n# {word}: soon\n"},
    )
    assert texts(tmp_path) == [
        f"tools/it.py:{line}: bare {word}: write {word}(what would settle it): what is left" for line in (1, 3)
    ]


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("/wo" + "rk/main/README.md", "a path of one machine"),
        ("see `/ro" + "ot/.cache`", "a path of one machine"),
        ("https://pypi.o" + "rg/simple", "the address of a package index"),
        ("https://files.pythonhosted.o" + "rg/x.whl", "the address of a package index"),
        ("pip install --extra-index" + "-url http://here", "the address of a package index"),
    ],
)
def test_words_of_one_machine_are_refused_in_every_kind_of_text(tmp_path: Path, word: str, meaning: str) -> None:
    """Documents, launchers and files at the top are read as well as code."""
    (tmp_path / "tools").mkdir()
    for name in ("README.md", "tools/demo", "tools/notes.txt"):
        (tmp_path / name).write_text(f"first\n{word}\n", encoding="utf-8")
    assert texts(tmp_path) == [
        f"{name}:2: mentions {meaning}" for name in ("README.md", "tools/demo", "tools/notes.txt")
    ]


def test_words_that_only_look_alike_pass(tmp_path: Path) -> None:
    """An address below another host, or a folder called work, is nobody's machine."""
    (tmp_path / "README.md").write_text("https://example.org/work/ and our-work/rooted/\n", encoding="utf-8")
    assert texts(tmp_path) == []


def test_what_is_not_ours_is_not_read(tmp_path: Path) -> None:
    """Environments, caches, pictures and demo data may hold anything."""
    text = "# X" + "XX\n"
    tree(tmp_path, {".venv/lib/x.py": text, "var/x.py": text, "tools/__pycache__/x.py": text})
    (tmp_path / "tools" / "picture.png").write_bytes(b"\x89PNG\xff")
    (tmp_path / "tools" / "blob.txt").write_bytes(b"\xff\xfe")
    assert texts(tmp_path) == []


def test_a_file_that_is_not_python_is_a_finding_and_not_a_crash(tmp_path: Path) -> None:
    """The other files are still read."""
    found = texts(tree(tmp_path, {"tools/a.py": "def\n", "tools/b.py": "x = 1\n" * 501}))
    assert [text.split(":")[0] for text in found] == ["tools/a.py", "tools/b.py"]


def test_the_command_fails_on_refusals_and_passes_on_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its last line says how many of each."""
    tree(tmp_path, {"tools/noted.py": "x = 1\n" * 400})
    assert tidy.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("tidy: 0 refused, 1 noted\n")
    tree(tmp_path, {"tools/refused.py": "x = 1\n" * 600})
    assert tidy.main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.endswith("tidy: 1 refused, 1 noted\n")

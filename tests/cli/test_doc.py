"""`rtfs doc` and the generated reference: complete, true, up to date; unknown names are refused with the nearest."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Mapping
from pathlib import Path

import pytest

from rtfs_framework.cli.main import run
from rtfs_framework.cli.reference import all_names, entries
from rtfs_framework.cli.repl.words import language_word
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.lang.analyzer.specials.table import SPECIALS
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.expander.core import CORE
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.syntax_examples import EXAMPLES
from rtfs_framework.stdlib.library import BUILTINS

LIBRARY = {**BUILTINS, **HOST}

ROOT = Path(__file__).parents[2]
PLUGINS = [
    re.search(r'^name = "(.+)"', made.read_text(encoding="utf-8"), re.MULTILINE)[1]
    for made in sorted(ROOT.glob("plugins/*/*/pyproject.toml"))
]
SHOWN = [(name, *example) for name, examples in EXAMPLES.items() for example in examples]
SHAPES = Source("shapes.rtfs", EXAMPLES["module"][0][0])


@pytest.mark.parametrize(("name", "program", "value"), SHOWN)
def test_an_example_of_a_form(name: str, program: str, value: str) -> None:
    assert {"#()": "#(", "quote": ""}.get(name, name) in program
    if value:
        assert canonical_print(run_pure(program)) == value
    else:
        compile_source(program, find_module={"shapes": SHAPES}.get)


def test_every_form_and_macro_has_an_example() -> None:
    assert sorted({*SPECIALS, *CORE} - set(EXAMPLES)) == []
    assert sorted(set(EXAMPLES) - {*SPECIALS, *CORE}) == []


def test_every_name_has_an_entry() -> None:
    assert sorted({*SPECIALS, *CORE, *(n for n in LIBRARY if n[0] != "%")} - set(all_names())) == []


def _stale(pages: Mapping[str, str]) -> list[str]:
    return [name for name, text in pages.items() if (ROOT / name).read_text(encoding="utf-8") != text]


def test_what_is_generated_is_up_to_date() -> None:
    made = runpy.run_path(str(ROOT / "docs/generate.py"))["pages"](plugins=False)
    assert len(made) > 5
    assert _stale(made) == [], "run `python docs/generate.py`"


@pytest.mark.needs(*PLUGINS)
def test_the_page_about_the_settings_of_plugins_is_up_to_date() -> None:
    made = runpy.run_path(str(ROOT / "docs/generate.py"))["pages"]()
    assert _stale({name: made[name] for name in made if "plugin" in name}) == [], "run `python docs/generate.py`"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("map", ["(map f ", "function; arguments: at least", "pure", "=> "]),
        ("->>", ["(->> value form...)", "macro", "=> [2 4]"]),
        (
            "llm-execute",
            ["asks the host", "Needs the capability ccos.ai.llm-execute: rtfs-capability-standard brings it"],
        ),
        ("stream-next", ["Needs the capability marketplace.stream.next: rtfs-capability-streams brings it"]),
        ("call", ["asks the host"]),
        ("step", ["tells the host"]),
        ("nth", ["fails with IndexOutOfBounds"]),
        ("take", ["  [:fn [:int sequence] part]\n", "  sequence is [:optional [:union list set :string map]]\n"]),
        ("println", ["(println & values)", "asks the host; host prelude", "Needs the capability ccos.io.println"]),
        ("get", ["special form", "[:fn [[:union sequence error] :any] :any]"]),
    ],
)
def test_a_name_is_explained(name: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doc", name]) == 0
    shown = capsys.readouterr().out
    assert [word for word in words if word not in shown] == []


def test_an_alias_leads_to_its_function(capsys: pytest.CaptureFixture[str]) -> None:
    alias, record = next((alias, record) for record in LIBRARY.values() for alias in record.aliases)
    assert run(["doc", alias]) == 0
    assert capsys.readouterr().out.startswith(f"({record.name}")


def test_an_optional_argument_stands_where_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doc", "reduce"]) == 0
    assert capsys.readouterr().out.startswith("(reduce f initial? collection)\n")
    usages = {entry.name: entry.usage for entry in entries() if entry.kind == "function"}
    assert [name for name, usage in usages.items() if usage.endswith(" collection?)")] == []


def test_every_reader_shows_the_parameters_and_types_of_the_table() -> None:
    word = language_word("sort")
    assert word is not None
    assert word.text().splitlines()[:2] == ["(sort comparator? collection)  [function]", "  [:fn [sequence] part]"]
    assert "(sort comparator? collection)\n; [:fn [sequence] part]\n" in word.markdown()
    assert compile_source('(sort "a" 5)').diagnostics[0].help == "it is called as (sort comparator? collection)"


def test_without_a_name_the_families_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doc"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sorted({entry.name for entry in entries()} - set(" ".join(lines).split())) == []
    assert max(map(len, lines)) <= 100


def test_search(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doc", "--search", "first argument"]) == 0
    shown = capsys.readouterr().out
    assert "->  Thread a value" in shown
    assert "->>" not in shown


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doc", "--json", "inc"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["purity"], found["arity"]) == ("inc", "pure", "1")
    assert found["types"] == "[:fn [[:union :int :float]] [:union :int :float]]"
    assert run(["doc", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(entries())
    assert run(["doc", "--json", "--search", "thread"]) == 0
    assert len(json.loads(capsys.readouterr().out)) >= 4


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["maap"], "did you mean 'map'?"),
        (["qqqqqq"], "rtfs doc --search qqqqqq"),
        (["--search", "qqqqqq"], "no text has 'qqqqqq'"),
        (["map", "--search", "x"], "two questions"),
    ],
)
def test_refusals(args: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doc", *args]) == 2
    assert words in capsys.readouterr().err

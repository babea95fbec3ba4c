"""`rtfs prompt`: small, true, made from the tables, and about this host."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from rtfs_framework.api.capability import CapabilityEntry
from rtfs_framework.cli.main import run
from rtfs_framework.cli.prompt_pack import EXAMPLES, FORMS, FUNCTIONS, RULES, known, make_pack
from rtfs_framework.cli.reference import entries
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.reader.read import read_one
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types.read import read_type
from rtfs_framework.orchestrator.config.security import RuntimeContext
from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer

TEXT = read_type(read_one(Source("type", ":string")))


@pytest.mark.parametrize(("program", "value"), EXAMPLES)
def test_an_example_is_true(program: str, value: str) -> None:
    assert canonical_print(run_pure(program)) == value


def test_the_programs_in_the_rules_compile() -> None:
    hinted = re.search(r"\(defn \^:delegation :local-model.*", RULES)
    assert hinted is not None
    compile_source(hinted.group())
    compile_source('(try 1 (catch TypeError e (getMessage e)) (catch e 2)) (throw "message")')


def test_every_name_that_is_chosen_exists() -> None:
    assert [entry.name for entry in known(FORMS.split(), functions=False)] == FORMS.split()
    assert [entry.name for entry in known(FUNCTIONS.split(), functions=True)] == FUNCTIONS.split()
    assert len(set(FUNCTIONS.split())) == len(FUNCTIONS.split())


def test_the_default_is_small_and_tells_what_is_left_out() -> None:
    pack = make_pack(None)
    assert pack is not None
    assert pack.tokens <= 1800
    assert f"Left out: {len(pack.left_out)} more forms and functions." in pack.text
    told = set(re.findall(r"[^\s()\[\]]+", pack.text))
    names = {entry.name for entry in entries() if not entry.needs}  # what needs a capability is served by nobody here
    assert names - told - set(pack.left_out) == set()
    assert "llm-execute" not in pack.text


@pytest.mark.parametrize("most", [800, 1000, 1400, 1800, 5000])
def test_the_budget_is_kept(most: int) -> None:
    pack = make_pack(None, most)
    assert pack is not None
    assert pack.tokens <= most
    assert RULES in pack.text


def test_more_budget_tells_more() -> None:
    sizes = [len(pack.left_out) for most in (800, 1000, 1400, 1800, 9000) if (pack := make_pack(None, most))]
    assert sizes == sorted(sizes, reverse=True)


def test_this_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "delegation.toml"
    config.write_text("[security]\nreach = 'local'\n[security.context]\ncity = 'Bern'\n", encoding="utf-8")
    assert run(["prompt", "--config", str(config)]) == 0
    shown = capsys.readouterr().out
    assert "This host grants:\n(call :host.checkpoint args...)" in shown, "what every host serves itself"
    assert "Context values: @city" in shown
    assert "Models for hints: " in shown
    assert ':remote "' not in shown.partition("Models for hints: ")[2]


def test_capabilities_that_are_granted_are_listed() -> None:
    entries = [
        CapabilityEntry(id="clock.now", summary="The time.", handler=len, parameters=(), returns=TEXT, names=("now",)),
        CapabilityEntry(id="mail.send", summary="Send a mail.", handler=len),
        CapabilityEntry(id="net.get", summary="Fetch a page.", handler=len, parameters=(TEXT,)),
    ]
    capabilities = SimpleNamespace(
        entries={entry.id: entry for entry in entries},
        names={"now": "clock.now"},
        security=SecurityAuthorizer(RuntimeContext(grant=("clock.*", "net.*"))),
    )
    host = SimpleNamespace(
        dispatcher=SimpleNamespace(capabilities=capabilities),
        pool=SimpleNamespace(candidates=()),
        config=SimpleNamespace(security=RuntimeContext()),
    )
    pack = make_pack(host)
    assert pack is not None
    assert "(call :clock.now) : :string  ; The time. also (now ...)\n(call :net.get :string)  ; Fetch" in pack.text
    assert "mail.send" not in pack.text
    assert "Models for hints: none" in pack.text


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prompt", "--no-host", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["prompt"].startswith("RTFS is")
    assert found["tokens"] <= 1800


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--no-host", "--max-tokens", "100"], "100 tokens do not hold the rules"),
        (["--max-tokens", "0"], "0 is not in the range"),
        (["--config", "nosuch.toml"], "E0901"),
    ],
)
def test_refusals(args: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prompt", *args]) == 2
    assert words in capsys.readouterr().err

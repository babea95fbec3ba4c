"""The session: what its users see, what it imports, and what it releases."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rtfs_framework.api import LanguageError, LocalModel, ProgramError
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.errors import LimitError

PROGRAM = """
(defn ^:delegation :local-model "m" ask "Ask it." [x :string] :string "own body")
(defn ai-guess [x] (str "own " x))
(defn plain [x] x)
(defn main [x] [(ask x) (ai-guess x) (plain x)])
(def answer 42)
"""


@pytest.fixture
def catalog(kit, fake_engine):
    return kit.catalog(kit.provider("m", lambda _: "model"), engine=fake_engine(LocalModel("m"), ("ai-*",)))


def test_the_value_is_that_of_the_last_form_without_arguments_and_of_main_with(kit, catalog, source):
    with kit.open(catalog) as session:
        assert session.run(source(PROGRAM)).value == 42
        assert session.run(source(PROGRAM), ("x",)).value == ("model", "model", "x")
        assert session.run(source(PROGRAM), ("x",), entry="plain").value == "x"


def test_a_loaded_program_is_evaluated_once_and_called_many_times(kit, catalog, source):
    with kit.open(catalog) as session, session.load(source(PROGRAM)) as program:
        first, second = (program.call("main", (text,)) for text in "ab")
        assert program.value == 42
        assert (first.value[2], second.value[2]) == ("a", "b")
        assert first.summary.calls == 2
        assert program.summary.calls == 4
        assert first.run_id == second.run_id == program.run_id
        assert program.function("ask").doc == "Ask it."


def test_the_same_program_makes_the_same_calls(kit, catalog, source):
    with kit.open(catalog) as session:
        made = [[(c.index, c.symbol, c.args_digest) for c in session.run(source(PROGRAM), ("x",)).calls] for _ in "ab"]
    assert made[0] == made[1]


def test_errors_that_nobody_caught_come_out(kit, catalog, source):
    with kit.open(catalog, limits=Limits(depth=100)) as session:
        with pytest.raises(ProgramError, match="Undefined symbol: main"):
            session.run(source("1"), ("x",))
        with pytest.raises(LimitError):
            session.run(source("(defn f [n] (+ 1 (f n))) (f 1)"))
        with pytest.raises(LanguageError):
            session.run(source("(if"))


def test_explain_shows_every_site_and_the_whole_way(kit, catalog, source, capability):
    from attrs import evolve

    offered = capability("kv.get", lambda _: 1)
    catalog = evolve(catalog, capabilities={"kv.get": (offered, next(iter(catalog.providers.values()))[1])})
    text = PROGRAM + "(call :kv.get 1)\n(call :no.such 1)\n"
    with kit.open(catalog) as session:
        sites = {site.name: site for site in session.explain(source(text))}
    assert not kit.providers["m"].requests
    ask, guess, denied, unknown = (sites[name] for name in ("ask", "ai-guess", "kv.get", "no.such"))
    assert (ask.target, ask.source, ask.provider) == ("local-model m", "hint", "m (acme-plugin 1.2)")
    assert [step for step, _ in guess.steps] == ["deny", "hint", "static route", "l1", "engine"]
    assert (denied.target, denied.usable) == ("denied", False)
    assert 'add  grant = ["kv.get"]' in denied.problem
    assert unknown.problem == (
        "no plugin offers 'no.such'; `rtfs capabilities search` finds what is offered here; "
        "`rtfs plugins` lists what is installed"
    )
    assert "plain" not in sites
    assert ask.to_json()["place"].startswith("test.rtfs:")


def test_check_tells_what_a_run_would_refuse(kit, catalog, source):
    with kit.open(catalog) as session:
        assert session.check(source(PROGRAM)) == []
        assert [d.code for d in session.check(source("(nobody 1)"))] == ["E0203"]
        assert session.check(source("(if"))[0].severity == "error"


def test_closing_releases_what_was_opened(kit, catalog, source):
    session = kit.open(catalog)
    session.load(source(PROGRAM)).call("main", ("x",))
    session.close()
    session.close()
    assert kit.providers["m"].closed


def test_a_provider_that_cannot_close_keeps_nothing_open(kit, catalog, source, monkeypatch):
    with kit.open(catalog) as session:
        session.run(source(PROGRAM), ("x",))

        async def broken():
            raise OSError

        monkeypatch.setattr(kit.providers["m"], "aclose", broken)
    assert kit.journal.exists()


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        (
            "session.run(Source('a', '(+ 1 2)'))",
            ["asyncio", "anyio", "sqlite3", "cattrs", "structlog", "tree_sitter", "json.tool", "tomllib"],
        ),
        ("session.explain(Source('a', '(+ 1 2)'))", ["asyncio", "anyio", "sqlite3", "cattrs", "structlog"]),
    ],
)
def test_a_pure_program_imports_nothing_that_it_does_not_need(tmp_path, statement, absent):
    script = f"""
import sys
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
with Session.open(environ={{"RTFS_HOME": {str(tmp_path)!r}}}, catalog=Catalog()) as session:
    {statement}
print([name for name in {absent!r} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=tmp_path, timeout=50
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr

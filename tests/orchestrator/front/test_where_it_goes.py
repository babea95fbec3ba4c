"""Where calls go without a configuration is said once for each session; and where Python looks for one."""

from __future__ import annotations

import asyncio
import logging
import sys
import types

import pytest

import rtfs_framework as rtfs
from rtfs_framework import aio
from rtfs_framework.front import session as front

TEXT = '(defn g "Twice." [x : :int] : :int (* x 2)) (defn main "Twice." [x : :int] : :int (g x))'


@rtfs.delegated
def count(text: str) -> int:
    """How many words."""
    return len(text.split())


@rtfs.delegated
def letters(text: str) -> int:
    """How many letters."""
    return len(text)


@pytest.fixture
def opened(kit, monkeypatch):
    """Every session here asks a model of this machine that always says 7; those of the process end with the test."""
    catalog, really = kit.catalog(kit.provider("llama", lambda _: "7")), front.Session.open
    own = front._Own()
    monkeypatch.setattr(front, "_OWN", own)
    monkeypatch.setattr(
        front.Session, "open", lambda **said: really(**{"catalog": catalog, "environ": kit.environ, **said})
    )
    yield own
    own.close()


@pytest.fixture
def told(caplog):
    """What was logged."""
    caplog.set_level(logging.WARNING, logger="rtfs_framework")
    return lambda: [each.getMessage() for each in caplog.records if "delegation.toml" in each.getMessage()]


async def in_loop():
    return await aio.run(TEXT, (1,), returns=int)


def loaded():
    with rtfs.Session.open() as session:
        return session.load(TEXT).call("g", (1,)).value


def linked():
    with rtfs.Session.open() as session:
        return session.run(session.link(TEXT), (1,)).value


async def loaded_in_loop():
    async with aio.Session.open() as session:
        return (await (await session.load(TEXT)).call("g", (1,))).value


@pytest.mark.parametrize(
    "act",
    [
        lambda: rtfs.run(TEXT, (1,), returns=int),
        lambda: asyncio.run(in_loop()),
        lambda: rtfs.Program(TEXT).run(1, returns=int),
        loaded,
        linked,
        lambda: count("a"),
        lambda: asyncio.run(loaded_in_loop()),
    ],
    ids=["run", "aio.run", "Program.run", "load", "link", "delegated", "aio.load"],
)
def test_whoever_sends_something_says_so(opened, told, act):
    assert act() == 7
    (line,) = told()
    assert ": described functions go to local-model llama; `rtfs config init` writes that down" in line


def test_it_is_said_once_for_all_functions_of_a_session_and_again_in_another(opened, told):
    assert [count("a"), letters("b"), rtfs.run(TEXT, (1,), returns=int), count("c")] == [7] * 4
    assert len(told()) == 1
    assert loaded() == 7
    assert len(told()) == 2


def test_nothing_is_said_where_nothing_goes(opened, told, kit):
    assert rtfs.run("(defn f [x] x) (f 1)", returns=int) == 1
    with rtfs.Session.open(environ={**kit.environ, "RTFS_SECURITY__LEVEL": '"pure"'}) as session:
        assert session.run(TEXT, (1,), returns=int) == 2
    assert told() == []


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """The folders of a function's module, of the main program, and the current one."""
    made = {name: tmp_path / name for name in ("module", "main", "here")}
    for each in made.values():
        each.mkdir()
    monkeypatch.chdir(made["here"])
    main = types.ModuleType("__main__")
    main.__file__ = str(made["main"] / "app.py")
    monkeypatch.setitem(sys.modules, "__main__", main)
    return made


def function_in(folder):
    """Return a delegated function of a module in a folder."""
    space = {"rtfs": rtfs, "__file__": str(folder / "words.py"), "__name__": "words"}
    exec('@rtfs.delegated\ndef words(text: str) -> int:\n    """How many words."""\n    return 1\n', space)
    return space["words"]


def test_the_line_says_where_a_configuration_was_looked_for(opened, told, folders, kit):
    assert function_in(folders["module"])("a") == 7
    (line,) = told()
    wanted = ", ".join(map(str, [*folders.values(), kit.environ["RTFS_HOME"]]))
    assert line.startswith(f"no delegation.toml in {wanted}, and a local model is here: ")


@pytest.mark.parametrize("name", ["module", "main", "here"])
def test_each_of_these_folders_is_looked_in(opened, told, folders, name):
    (folders[name] / "delegation.toml").write_text("[delegation]\ndescribed = 'local-pure'\n", encoding="utf-8")
    assert function_in(folders["module"])("a") == 1
    assert told() == []
    assert rtfs.run(TEXT, (1,), returns=int) == (7 if name == "module" else 2)


def test_functions_go_by_what_lies_beside_their_own_module(opened, folders):
    """Whichever is called first; those with one configuration share one session."""
    (folders["module"] / "delegation.toml").write_text("[delegation]\n", encoding="utf-8")
    first, second, other = (function_in(folders[name]) for name in ("module", "module", "main"))
    assert [other("a"), first("a"), second("a"), other("b")] == [7, 1, 1, 7]
    assert len(opened.opened) == 2
    opened.close()
    assert first("c") == 1, "a closed session is opened anew"

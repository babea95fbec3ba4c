"""The words of the front door: `run`, `Session`, `Program`, in threads and event loops, and the errors they raise."""

from __future__ import annotations

import asyncio
import enum
import inspect
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

import rtfs_framework as rtfs
from rtfs_framework import aio
from rtfs_framework.kernel.limits import Limits


@dataclass
class Point:
    x: int
    y_axis: float = 0.0


class Colour(enum.Enum):
    RED = "red"


@pytest.fixture
def session(kit):
    with rtfs.Session.open(catalog=kit.catalog(), environ={"RTFS_HOME": str(kit.home)}) as opened:
        rtfs.use(opened)
        yield opened
        rtfs.use(None)


def test_a_value_is_whole_or_of_the_type_that_is_wanted(session):
    assert session.run("(map inc [1 2 3])").value == (2, 3, 4)
    assert session.run("(map inc [1 2 3])", returns=list[int]) == [2, 3, 4]
    assert rtfs.run("{:x 1}", returns=Point) == Point(1)
    assert rtfs.run('{:a "b" "k" #{:c}}', returns=object) == {"a": "b", "k": {"c"}}
    with pytest.raises(rtfs.ConversionError, match="the value is no int: it is a string"):
        rtfs.run('"a"', returns=int)
    with pytest.raises(rtfs.ConversionError, match="function, which is no data"):
        rtfs.run("inc", returns=object)
    with pytest.raises(rtfs.ConversionError, match="two keys get one name"):
        rtfs.run('{:a 1 "a" 2}', returns=object)


def test_records_and_enumerations_are_taken_as_arguments(session):
    text = "(defn main [p c] [(:y-axis p) c])"
    assert rtfs.run(text, (Point(1, 2.5), Colour.RED), returns=object) == [2.5, "red"]
    assert rtfs.run(text, [{"a": [Point(1)]}, None]).value == (None, None)


def test_each_kind_of_error_has_a_code_a_place_and_a_way_out(session, kit):
    def caught(kind, act):
        with pytest.raises(kind) as found:
            act()
        assert isinstance(found.value, rtfs.RtfsError)
        return found.value.code, str(found.value.place or ""), found.value.help

    assert caught(rtfs.LanguageError, lambda: session.run("(+ 1 nowhere)"))[:2] == ("E0203", "<string>:1:6")
    assert caught(rtfs.ProgramError, lambda: session.run("(+ 1 nil)"))[:2] == ("E0502", "<string>:1:1")
    code, place, help_ = caught(rtfs.ProgramError, lambda: session.run("\n(/ 1 0)"))
    assert (code, place) == ("E0504", "<string>:2:1")
    assert "test the divisor first" in help_
    assert caught(rtfs.ProgramError, lambda: session.run('(throw {:kind "Mine" :message "m"})'))[0] == "E0500"
    refused = caught(rtfs.ArgumentError, lambda: session.run("(defn main [x] x)", (b"",)))
    assert (refused[0], refused[2]) == ("E0921", "decode it, or encode it as base64 text")
    with rtfs.Session.open(catalog=kit.catalog(), environ=kit.environ, limits=Limits(steps=100)) as narrow:
        code, _, help_ = caught(rtfs.LimitError, lambda: narrow.run("(loop [i 0] (recur (inc i)))"))
    assert (code, "[limits]" in help_) == ("E0520", True)
    closed = caught(rtfs.SessionClosedError, lambda: narrow.run("1"))
    assert (closed[0], closed[2]) == ("E0920", "open another one: Session.open()")
    (kit.home / "bad.toml").write_text("[delegation]\nnope = 1\n", encoding="utf-8")
    path = kit.home / "bad.toml"
    code, place, _ = caught(
        rtfs.ConfigError, lambda: rtfs.Session.open(catalog=kit.catalog(), environ=kit.environ, config_path=path)
    )
    assert (code, place.endswith("bad.toml:2:1")) == ("E0702", True)


def test_a_session_shows_nothing_of_what_it_knows(kit):
    environ = {**kit.environ, "ACME_API_KEY": "sk-very-secret"}
    with rtfs.Session.open(catalog=kit.catalog(), environ=environ, tenant="acme") as session:
        assert repr(session) == "<session of acme>"


def test_the_settings_of_a_session_of_event_loops_are_those_of_any():
    from rtfs_framework.front.aio_session import Settings

    parameters = inspect.signature(rtfs.Session.open).parameters
    assert list(Settings.__annotations__) == list(parameters)


def test_a_program_is_built_and_written_by_the_formatter(session):
    program = (
        rtfs.Program(name="built")
        .define("double_it", {"x": int}, "(* 2 x)", returns=int, doc="Twice as much.")
        .define(
            "main",
            {"start_at": int, "rest": None},
            "(double-it start-at)",
            hints={"retry": {"max_retries": 2}},
        )
    )
    assert program.text == (
        '(defn double-it "Twice as much." [x : :int] : :int (* 2 x))\n\n'
        "(defn main [start-at : :int rest] ^{:runtime.learning.retry {:max-retries 2}} (double-it start-at))\n"
    )
    assert program.run(21, None, returns=int) == 42
    assert str(program) == program.text
    assert rtfs.Program("(+ 1 2)").add("(+ 3 4)").run().value == 7
    with pytest.raises(rtfs.LanguageError):
        rtfs.Program("(").text  # noqa: B018 - read for its error


def test_hints_of_a_place_are_written(session):
    text = rtfs.Program().define("f", {"x": str}, "x", doc="D", target="house").text
    assert text == '(defn f "D" ^:delegation {:target "house"} [x : :string] x)\n'
    with pytest.raises(rtfs.ConversionError, match="a hint is a bytes") as caught:
        rtfs.Program().define("f", {}, "1", hints={"retry": {"n": b""}})
    assert caught.value.code == "E0938"


def test_threads_share_the_process_own_session(monkeypatch, tmp_path):
    from rtfs_framework.front import session as front

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RTFS_HOME", str(tmp_path))
    monkeypatch.setenv("RTFS_PLUGINS", "")
    with ThreadPoolExecutor(32) as pool:
        seen = set(pool.map(lambda _: id(front.current()), range(64)))
        assert list(pool.map(lambda n: rtfs.run(f"(* 2 {n})", returns=int), range(64))) == [2 * n for n in range(64)]
    assert len(seen) == 1
    front._OWN.close()
    assert rtfs.run("(+ 1 2)", returns=int) == 3
    front._OWN.close()


def test_the_same_words_are_awaited_in_event_loops(kit):
    async def main():
        async with aio.Session.open(catalog=kit.catalog(), environ=kit.environ) as session:
            aio.use(session)
            many = await asyncio.gather(*(session.run(f"(* 2 {n})", returns=int) for n in range(20)))
            loaded = await session.load("(defn f [p] (:x p))")
            called = (await loaded.call("f", (Point(7),))).value
            ran = await aio.run("(+ 1 2)", returns=int)
            built = await aio.Program("(defn main [x] x)").run(5, returns=int)
            within = await aio.Program("1").run(session=session)
            aio.use(None)
        with pytest.raises(rtfs.SessionClosedError):
            await session.run("1")
        return many, called, ran, built, within.value

    assert asyncio.run(main()) == ([2 * n for n in range(20)], 7, 3, 5, 1)


def test_cancelling_ends_the_run(session):
    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(aio.run("(loop [i 0] (recur (inc i)))"), timeout=0.05)
        return await aio.run("(+ 1 2)", returns=int)

    assert asyncio.run(main()) == 3

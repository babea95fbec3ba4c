"""What type checkers see of the front page. Checked by `tox run -e types`, never run; nothing here is `Any`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal, Optional

from typing_extensions import assert_type

import rtfs_framework as rtfs
from rtfs_framework import Session, SessionClosedError, Source, aio, compile_source
from rtfs_framework.front.aio_session import Loaded
from rtfs_framework.front.delegated import Delegated
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.source import Place
from rtfs_framework.orchestrator.recording.records import RunResult
from rtfs_framework.orchestrator.running.program import LoadedProgram
from rtfs_framework.orchestrator.running.stream import Stream

Mood = Literal["good", "bad"]


@dataclass
class Point:
    """A record."""

    x: int


@rtfs.delegated
def mood(text: str, *, loud: bool = False) -> Mood:
    """The mood of a text."""
    return "good" if loud else "bad"


@rtfs.delegated(local_model="llama")
async def slowly(text: str) -> Point:
    """Find the point."""
    return Point(len(text))


class Shop:
    """Has a method."""

    @rtfs.delegated
    def price(self, item: str) -> float:
        """The price of an item."""
        return float(len(item))

    @classmethod
    @rtfs.delegated
    def of_class(cls, item: str) -> int:
        """Count an item."""
        return len(item)

    @staticmethod
    @rtfs.delegated
    def of_nobody(item: str) -> int:
        """Count an item."""
        return len(item)


def delegated(session: Session) -> None:
    """A delegated function keeps its signature."""
    assert_type(mood("x", loud=True), Mood)
    assert_type(mood.on(session)("x"), Mood)
    assert_type(mood.rtfs, str)
    assert_type(Shop().price("x"), float)
    assert_type(Shop().price.on(session)("x"), float)
    assert_type(Shop.of_class("x"), int)
    assert_type(Shop.of_nobody("x"), int)
    assert_type(Shop().of_nobody("x"), int)
    narrowed: Callable[[str], float] = Shop().price
    assert_type(narrowed("x"), float)
    coming: Coroutine[Any, Any, Point] = slowly("x")
    coming.close()
    held: Delegated[..., Mood] = mood
    assert_type(held("x"), Mood)
    mood(1)  # type: ignore[arg-type]  # the point
    mood("x", nope=True)  # type: ignore[call-arg]  # the point
    Shop().price(1)  # type: ignore[arg-type]  # the point


def synchronous(session: Session) -> None:
    """Threads."""
    assert_type(Session.open(), Session)
    assert_type(session.run("(+ 1 2)"), RunResult)
    assert_type(session.run(Source("a", "(+ 1 2)"), (1,), entry="f"), RunResult)
    assert_type(session.run("(+ 1 2)", returns=int), int)
    assert_type(rtfs.run("(+ 1 2)", [1], returns=Point), Point)
    assert_type(rtfs.run("(+ 1 2)", returns=Optional[int]), int | None)  # noqa: UP045 - as people write it
    assert_type(session.run("(+ 1 2)", returns=int | str), int | str)
    assert_type(rtfs.Program("1").run(returns=Literal["good", "bad"]), Mood)
    rtfs.run("1", returns=7)  # type: ignore[call-overload]  # the point: 7 is no type
    assert_type(rtfs.run("(+ 1 2)"), RunResult)
    assert_type(rtfs.run("(+ 1 2)", returns=list[int]), list[int])
    program = assert_type(session.load("(+ 1 2)"), LoadedProgram)
    assert_type(program.call("f", (1,)), RunResult)
    assert_type(session.stream(program, "f", []), Stream)
    result = program.call("f", (1,))
    assert_type(result.value, object)
    assert_type(result.to(list[Point]), list[Point])
    assert_type(result.to(int | None), int | None)
    assert_type(result.to(Literal["good", "bad"]), Mood)
    result.value.upper()  # type: ignore[attr-defined]  # the point: a value is of no type until it is converted
    rtfs.nothing_of_ours  # type: ignore[attr-defined]  # noqa: B018 - the point: a wrong name is seen
    assert_type(session.close(wait=False, timeout=1.0), None)
    assert_type(compile_source("(+ 1 2)"), Artifact)
    assert_type(rtfs.Program().add("1").define("f", {"x": int}, "x", returns=int), rtfs.Program)
    assert_type(rtfs.Program("1").run(returns=int), int)
    assert_type(rtfs.use(session), None)
    with session as inside:
        assert_type(inside, Session)


async def asynchronous(session: Session, error: SessionClosedError) -> None:
    """Tasks."""
    assert_type(await session.run_async("(+ 1 2)"), RunResult)
    assert_type(await session.run_async("(+ 1 2)", returns=int), int)
    program = assert_type(await session.load_async("(+ 1 2)"), LoadedProgram)
    assert_type(await program.call_async("f"), RunResult)
    assert_type(await session.aclose(), None)
    assert_type(error.way_out, str)
    async with session as inside:
        assert_type(inside, Session)


async def awaited(caught: rtfs.RtfsError) -> None:
    """The same words, and errors."""
    async with aio.Session.open(journal=False) as session:
        assert_type(session, aio.Session)
        assert_type(await session.run("(+ 1 2)", returns=int), int)
        assert_type(await session.load("(+ 1 2)"), Loaded)
        assert_type(await slowly.on(session)("x"), Point)
    assert_type(await aio.run("(+ 1 2)"), RunResult)
    assert_type(await aio.Program("1").run(returns=str), str)
    assert_type(await aio.run("(+ 1 2)", returns=dict[str, int] | None), dict[str, int] | None)
    assert_type((await session.run("(+ 1 2)")).to(Point), Point)
    assert_type(caught.code, str)
    assert_type(caught.place, Place | None)
    assert_type(caught.help, str)

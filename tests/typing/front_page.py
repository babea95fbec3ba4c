"""What type checkers see of the front page. Checked by `tox run -e types`, never run; nothing here is `Any`."""

from __future__ import annotations

from typing_extensions import assert_type

from rtfs_framework import Session, SessionClosedError, Source, compile_source
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.orchestrator.recording.records import RunResult
from rtfs_framework.orchestrator.running.program import LoadedProgram
from rtfs_framework.orchestrator.running.stream import Stream


def synchronous(session: Session) -> None:
    """Threads."""
    assert_type(Session.open(), Session)
    assert_type(session.run("(+ 1 2)"), RunResult)
    assert_type(session.run(Source("a", "(+ 1 2)"), (1,), entry="f"), RunResult)
    program = assert_type(session.load("(+ 1 2)"), LoadedProgram)
    assert_type(program.call("f", (1,)), RunResult)
    assert_type(session.stream(program, "f", []), Stream)
    assert_type(session.close(wait=False, timeout=1.0), None)
    assert_type(compile_source("(+ 1 2)"), Artifact)
    with session as inside:
        assert_type(inside, Session)


async def asynchronous(session: Session, error: SessionClosedError) -> None:
    """Tasks."""
    assert_type(await session.run_async("(+ 1 2)"), RunResult)
    program = assert_type(await session.load_async("(+ 1 2)"), LoadedProgram)
    assert_type(await program.call_async("f"), RunResult)
    assert_type(await session.aclose(), None)
    assert_type(error.way_out, str)
    async with session as inside:
        assert_type(inside, Session)

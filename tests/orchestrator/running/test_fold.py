"""A state over a stream of records: order, errors, what it rests on, Ctrl-C, constant memory."""

from __future__ import annotations

import gc
import json
import os
import signal
import threading

import anyio
import pytest

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.verify import verify
from rtfs_framework.orchestrator.recording.records import CallRecord

PROGRAM = """
(defn ^:delegation :local-model "m" ask [x] :string "")
(defn fold [state record]
  (if (= record "bad") (throw "refused") (conj (or state []) (ask record))))
(defn finish [state] (do (ask "end") (count state)))
"""


def upper(request):
    return request.args[0].upper()


def test_each_state_is_made_of_the_one_before_and_a_failed_record_leaves_it(kit, source):
    with kit.open(kit.catalog(kit.provider("m", upper))) as session:
        fold = session.load(source(PROGRAM)).fold(["a", "bad", "b"])
        states = [(each.index, each.value, each.error is None) for each in fold]
        assert states == [(0, ("A",), True), (1, None, False), (2, ("A", "B"), True)]
        result = fold.finish()
    assert (result.value, [call.symbol for call in result.calls]) == (2, ["ask"])
    assert (fold.summary.records, fold.summary.record_errors, fold.summary.calls) == (3, 1, 3)


def test_a_program_without_finish_gives_the_state(kit, source):
    with kit.open() as session:
        program = session.load(source("(defn fold [state n] (+ (or state 0) n))"))
        fold = program.fold(range(1, 101))
        assert sum(each.ok for each in fold) == 100
        result = fold.finish()
    assert (result.value, result.run_id, result.calls) == (5050, program.run_id, ())


def test_without_records_the_state_is_nil(kit, source):
    with kit.open() as session:
        fold = session.load(source("(defn fold [s n] n) (defn finish [s] (nil? s))")).fold([])
        assert (list(fold), fold.finish().value) == ([], True)


def test_a_program_that_folds_nothing_is_an_error_at_once(kit, source):
    with kit.open() as session, pytest.raises(ProgramError, match="fold"):
        session.load(source("(defn main [x] x)")).fold(["a"])


def test_what_is_asked_later_rests_on_the_replies_of_earlier_records(kit, source):
    provider = kit.provider("m", upper, deterministic=True)
    with kit.open(kit.catalog(provider, l2=True)) as session:
        fold = session.load(source(PROGRAM)).fold(["a", "b"])
        assert all(each.ok for each in fold)
        fold.finish()
    infos = {json.loads(each.value)["text"]: each.info for each in kit.layers["l2"].records.values()}
    first, second, last = (infos[text] for text in ("A", "B", "END"))
    assert (first.sources, second.sources) == ((), (first.reply,))
    assert set(last.sources) == {first.reply, second.reply}


def test_ctrl_c_keeps_the_state_and_the_journal_is_whole(kit, source):
    async def answer(request):
        await anyio.sleep(0.001 if request.args[0] < "d" else 60)
        return request.args[0]

    with kit.open(kit.catalog(kit.provider("m", answer))) as session:
        fold = session.load(source(PROGRAM)).fold(iter("abcdefg"))
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        results = list(fold)
        timer.join()
    assert (len(results), fold.state, fold.interrupted) == (3, ("a", "b", "c"), True)
    row = query.list_runs(kit.journal)[0]
    assert (row.status, verify(kit.journal, row.id, kit.home).ok) == ("interrupted", True)


def test_memory_stays_constant(kit, source):
    def alive():
        gc.collect()
        return sum(isinstance(each, CallRecord) for each in gc.get_objects())

    before = alive()
    text = '(defn ^:delegation :local-model "m" ask [x] :string "") (defn fold [n x] (do (ask x) (inc (or n 0))))'
    with kit.open(kit.catalog(kit.provider("m", lambda _: "x"))) as session:
        fold = session.load(source(text)).fold(str(n) for n in range(1200))
        assert all(each.ok for each in fold)
        assert alive() - before <= 1020
    assert fold.state == 1200

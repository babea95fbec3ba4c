"""Memoised functions in the kernel: asked for aside, counted as no call, and held to the run's limits."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.kernel.memo import Unknown
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.errors import LimitError, ProgramError

KEPT = (CallKind.MEMO, CallKind.MEMO_KEEP)


class Host:
    """Keeps values in a dict by what is asked; answers capabilities with their path."""

    def __init__(self, known=None):
        self.kept, self.asked, self.paths = {} if known is None else known, [], []

    def run(self, text, limits=None, **options):
        artifact = compile_source(text, metered=(limits or Limits()).metered)
        run = Instance(artifact, limits=limits, keeps=True, **options).start()
        outcome = run.step()
        while not isinstance(outcome, Complete):
            outcome = self.answer(run, outcome.call)
        return outcome.value, run

    def answer(self, run, call):
        self.asked.append(call.kind)
        if call.kind is CallKind.MEMO_KEEP:
            place, value = call.args
            self.kept[place] = value
            return run.resume(None)
        if call.kind is CallKind.MEMO:
            place = (call.capability, call.args)
            return run.resume(self.kept[place] if place in self.kept else Unknown(place))
        self.paths.append(call.path)
        return run.resume(call.path[-1])


WORK = "(defn ^:memo work [n] (reduce + (range n)))"
CALLS = f"{WORK} [(call :a) (work 1000) (call :b) (work 1000) (call :c)]"


def test_a_value_is_computed_once_and_calls_have_the_same_ids():
    host = Host()
    first, run = host.run(CALLS)
    assert first == (0, 499_500, 1, 499_500, 2)
    assert (run.host_calls, host.asked.count(CallKind.MEMO_KEEP)) == (3, 1)
    again = Host(host.kept)
    found, later = again.run(CALLS)
    assert (found, later.host_calls, again.paths) == (first, 3, host.paths)
    assert CallKind.MEMO_KEEP not in again.asked
    assert later.steps < run.steps


def test_a_bound_on_calls_does_not_count_what_is_kept():
    assert Host().run(CALLS, Limits(host_calls=3))[0][1] == 499_500


def test_a_host_that_keeps_nothing_is_not_asked():
    assert run_pure(f"{WORK} (work 10)") == 45


def test_an_error_is_computed_again():
    host = Host()
    text = "(defn ^:memo f [x] (/ 1 x)) [(try (f 0) (catch e (:kind e))) (try (f 0) (catch e (:kind e)))]"
    assert len(set(host.run(text)[0])) == 1
    assert host.asked == [CallKind.MEMO, CallKind.MEMO]


def test_a_self_call_at_the_end_stays_a_jump():
    text = "(defn ^:memo f [n acc] (if (= n 0) acc (f (dec n) (+ acc n)))) (f 100000 0)"
    assert Host().run(text)[0] == 5_000_050_000


def test_a_value_that_is_taken_in_counts_as_memory():
    text = "(defn ^:memo f [n] (vec (range n))) (count (f 100000))"
    host = Host()
    assert host.run(text)[0] == 100_000
    known = {(what, args): value for (what, args), value in host.kept.items()}
    with pytest.raises(LimitError) as caught:
        Host(known).run(text, Limits(memory=1 << 20))
    assert caught.value.dimension == "memory"


def test_a_value_of_other_bounds_is_another_value():
    text = "(defn ^:memo f [n] (vec (range n))) (count (f 2000))"
    host = Host()
    host.run(text)
    with pytest.raises(LimitError):
        Host(host.kept).run(text, Limits(items=1_000))


def test_nothing_is_kept_before_all_names_are_bound():
    text = "(defn ^:memo f [] (try k (catch _ 0))) (def before (f)) (def k 5) [before (f) (f)]"
    host = Host()
    assert host.run(text)[0] == (0, 5, 5)
    assert host.asked == [CallKind.MEMO, CallKind.MEMO_KEEP, CallKind.MEMO]


def test_a_library_name_counts_once_the_program_has_defined_it():
    text = "(defn ^:memo f [x] (inc x)) (def before (f 1)) (defn inc [x] (+ x 10)) [before (f 1) (f 1)]"
    assert Host().run(text)[0] == run_pure(text)


def test_calls_with_a_wrong_number_of_arguments_fail_as_ever():
    plain, memo = "(defn f [x] x) (f 1 2)", "(defn ^:memo f [x] x) (f 1 2)"

    def error(run):
        with pytest.raises(ProgramError) as caught:
            run()
        return caught.value.kind, caught.value.message

    assert error(lambda: Host().run(memo)) == error(lambda: run_pure(plain))


def test_finally_blocks_of_a_run_that_is_closed_compute():
    text = f"{WORK} (try (call :a) (finally (work 10)))"
    run = Instance(compile_source(text), keeps=True).start()
    run.step()
    run.close()
    assert run.host_calls == 1

"""The watch and cancellation: both reach a run that computes without asking for anything."""

from __future__ import annotations

import threading

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.meter import CHUNK
from rtfs_framework.lang.errors import Cancelled, InternalError, LimitError

TIGHT = {
    "a loop": "(loop [] (recur))",
    "a function": "((fn f [] (f)))",
    "two functions": "(letfn [(a [] (b)) (b [] (a))] (a))",
    "dotimes": "(dotimes [i 1000000000000] i)",
    "recursion": "(defn g [n] (if (< n 0) n (do (g (- n 1)) (g (- n 1))))) (g 5000)",
}


@pytest.mark.parametrize("name", TIGHT)
def test_another_thread_cancels_a_tight_loop(name):
    run = Instance(compile_source(TIGHT[name]), limits=Limits(depth=9_000)).start()
    timer = threading.Timer(0.1, run.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        run.step()
    timer.join()


def test_a_cancelled_run_cannot_catch_it_and_runs_its_finally():
    text = "(try (loop [] (recur)) (catch e :caught) (finally (loop [] (recur))))"
    run = Instance(compile_source(text)).start()
    run.cancel()
    with pytest.raises(Cancelled):
        run.step()


def test_a_cancelled_run_reaches_its_host_no_more():
    run = Instance(compile_source("(do (call :a) (call :b))")).start()
    run.step()
    run.cancel()
    with pytest.raises(Cancelled):
        run.resume(1)


@pytest.mark.parametrize("depth", [None, 9_000])
@pytest.mark.parametrize("name", TIGHT)
def test_the_watch_is_asked_between_steps_and_may_end_the_run(name, depth):
    looks = []

    def watch():
        looks.append(1)
        if len(looks) == 4:
            raise LimitError("seconds", 1, "time is over")

    run = Instance(compile_source(TIGHT[name]), limits=Limits(depth=depth), watches=lambda: watch).start()
    with pytest.raises(LimitError, match="time is over"):
        run.step()
    # With a limit on depth no more steps are granted at once than there are levels left, so it is asked sooner.
    assert run.steps == (3 * CHUNK if depth is None else 12_375 if name == "recursion" else 23_625)


def test_the_branches_of_a_cancelled_run_end_too():
    run = Instance(compile_source("(loop [] (recur))")).start()
    branch = run._meter.fork().fork()
    branch.refill()
    run.cancel()
    with pytest.raises(Cancelled):
        branch.look()


def test_two_threads_cannot_run_one_program_at_once():
    instance = Instance(compile_source("(loop [] (recur))"))
    first = instance.start()
    started, seen = threading.Event(), []

    def watch():
        started.set()

    first._meter.watch = watch

    def other():
        started.wait(10)
        try:
            instance.start().step()
        except InternalError as error:
            seen.append(str(error))
        first.cancel()

    thread = threading.Thread(target=other)
    thread.start()
    with pytest.raises(Cancelled):
        first.step()
    thread.join()
    assert seen == ["a program is run by one thread at a time; load it once per thread"]


INSIDE = {
    "sort": "(sort v)",
    "sort by a comparator": "(sort (fn [a b] (< b a)) v)",
    "sort of vectors": "(sort (map vector v))",
    "map": "(map (fn [x] x) v)",
    "reduce": "(reduce (fn [a x] x) 0 v)",
    "iterate": "(iterate 300000 inc 1)",
    "equality": "(= v (map inc v))",
    "text": "(str v)",
    "a regular expression": '(re-seq "[0-9]" (repeat-string "a1" 150000))',
    "replacing": '(re-replace "[0-9]" (repeat-string "a1" 150000) "b")',
    "JSON": "(serialize-json v)",
    "much JSON": "(serialize-json {:a [(map (fn [x] {:id x}) v)]})",
    "reading JSON": '(parse-json (str "[0" (repeat-string ",{}" 300000) "]"))',
    "reading nested JSON": '(parse-json (str "[0" (repeat-string ",[[]]" 300000) "]"))',
    "reading CSV": '(parse-csv (repeat-string "a,b\\n" 300000))',
    "joining": '(join "," (map (fn [i] [i]) v))',
    "sort of long vectors": "(sort (map (fn [i] (conj v i)) (range 3)))",
    "groups": "(group-by odd? v)",
    "counts": "(frequencies v)",
    "a hash": "(contains? #{1} v)",
    "pieces": "(partition 2 v)",
    "a set": "(set v)",
    "division": "(quot (pow 3 250000) (pow 7 60000))",
}


def looks_at_the_watch(work, items):
    """Return how often the watch is asked while some work is done on a vector `v` of so many integers."""
    looks = []
    text = f"(def v (range {items})) (defn work [] {work})"
    instance = Instance(compile_source(text), limits=Limits(output=None), watches=lambda: lambda: looks.append(1))
    instance.start().step()
    looks.clear()
    instance.call("work", ()).step()
    return len(looks)


@pytest.mark.parametrize("name", INSIDE)
def test_the_watch_is_asked_inside_one_call_of_the_library(name):
    assert looks_at_the_watch(INSIDE[name], 100_000) >= 2


BETWEEN = {
    "sets compared": "(compare :a (set v))",
    "several collections": "(map vector v v)",
    "several collections joined": "(mapcat vector v v)",
    "with places": "(map-indexed vector v)",
    "counts by": "(count-by inc v)",
    "values of a map": "(update-vals (zipmap v v) inc)",
    "keys of a map": "(update-keys (zipmap v v) inc)",
    "groups": "(group-by inc v)",
    "an index": "(index-by inc v)",
    "places and items": "(reduce-kv + 0 v)",
    "entries": "(reduce-kv + 0 (zipmap v v))",
    "maps in one": "(merge-with + (zipmap v v) (zipmap v v))",
    "many maps": "(apply merge {} (map (fn [i] {:a i}) v))",
    "many predicates": "((apply every-pred (map (fn [i] int?) v)) 1)",
    "many equal values": "(apply = (map (fn [i] 1) v))",
    "neighbours": "(dedupe v)",
    "data for JSON": '(conform [:vector :keyword] (mapv (fn [i] "a") v))',
}
LIGHT = {
    "nests that are hashed": "(doseq [i (range 3000)] (contains? {} [[[[[[[[[[i]]]]]]]]]]))",
}


@pytest.mark.parametrize("name", BETWEEN)
def test_the_watch_is_asked_between_items_that_were_counted_before(name):
    """Each item may take long: to count them all at first is no look at the clock while they are worked on."""
    assert looks_at_the_watch(BETWEEN[name], 100_000) >= 100_000 / 4096


@pytest.mark.parametrize("name", LIGHT)
def test_the_watch_is_asked_while_little_things_add_up(name):
    assert looks_at_the_watch(LIGHT[name], 1) >= 7

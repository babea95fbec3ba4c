"""The layer: what is kept is found by what lies near it, within its partition, bounds and time, and nothing else."""

from __future__ import annotations

import random
import threading

import attrs
import pytest

from rtfs_cache_similar.deciding.decider import Decider
from rtfs_framework.api import CacheInfo, CacheKey, Served

INFO = CacheInfo(symbol="triage/sort", tenant="acme", reply="r:0.0", cost=1_200)


def test_what_is_near_is_served_with_entry_similarity_and_origin(opened, question):
    layer = opened()
    layer.put(question("refund/1"), "sort: refund", info=INFO)
    verdict = layer.ask(question("refund/2"))
    assert verdict.served is Served.HIT
    assert verdict.record.value == "sort: refund"
    assert verdict.record.info == INFO
    assert 0.9 < verdict.similarity < 1.0
    assert verdict.entry
    assert layer.ask(question("delivery/1")).served is Served.MISS


def test_an_equal_request_is_served_without_evidence_unless_the_call_allows_nothing(opened, question, trusting):
    layer = opened(decider=trusting(enough=2.0))
    layer.put(question("refund/1"), "sort: refund")
    verdict = layer.ask(question("refund/1"))
    assert (verdict.served, verdict.similarity, verdict.bound) == (Served.HIT, 1.0, 0.0)
    assert layer.ask(question("refund/1", bound=0)).served is Served.MISS
    assert layer.ask(question("refund/2")).served is Served.MISS


def test_nothing_is_found_in_another_partition(opened, question):
    layer = opened()
    layer.put(question("refund/1", "tenant a"), "a's")
    assert layer.ask(question("refund/1", "tenant b")).served is Served.MISS
    same_key = attrs.evolve(question("refund/1", "tenant b"), exact=question("refund/1", "tenant a").exact)
    assert layer.ask(same_key).served is Served.MISS


def test_a_value_that_is_no_text_is_refused(opened, question):
    with pytest.raises(TypeError, match="keeps text, not dict"):
        opened().put(question("a/1"), {})


def test_a_vector_without_direction_is_never_kept_nor_found(opened, question):
    layer = opened()
    none = attrs.evolve(question("a/1"), vector=(0.0,) * 32)
    layer.put(none, "a")
    assert layer.stats().size == 0
    layer.put(question("a/1"), "a")
    assert layer.ask(attrs.evolve(question("a/2"), vector=(float("nan"),) * 32)).served is Served.MISS


def test_what_is_past_its_time_is_a_miss_and_an_expiry(opened, clock, question):
    layer = opened(ttl=10)
    layer.put(question("a/1"), "a")
    layer.put(question("b/1"), "b", ttl=30)
    clock.advance(10)
    assert layer.ask(question("a/2")).served is Served.MISS
    assert layer.ask(question("b/2")).served is Served.HIT
    assert [item.record.value for item in layer.scan()] == ["b"]
    assert layer.stats().expiries == 1


def test_the_bound_in_entries_is_never_exceeded_and_the_oldest_used_go(opened, clock, question):
    layer = opened(capacity=3)
    for text in ("a/1", "b/1", "c/1"):
        layer.put(question(text), text)
        clock.advance(1)
    assert layer.ask(question("a/2")).served is Served.HIT
    layer.close()
    layer = opened(capacity=3)
    layer.put(question("d/1"), "d/1")
    assert sorted(item.record.value for item in layer.scan()) == ["a/1", "c/1", "d/1"]
    assert layer.ask(question("b/2")).served is Served.MISS
    assert (layer.stats().size, layer.stats().evictions) == (3, 1)


def test_the_bound_in_bytes_is_never_exceeded(opened, question):
    layer = opened(size=5_000)
    for number in range(50):
        layer.put(question(f"t{number}/1"), "x" * 500)
        stats = layer.stats()
        assert stats.size_bytes <= 5_000
        assert stats.size >= 1
    layer.put(question("huge/1"), "x" * 6_000)
    assert layer.ask(question("huge/1")).served is Served.MISS
    assert layer.stats().size_bytes <= 5_000


def test_feedback_evicts_an_entry_with_its_neighbours_and_is_learned_once(opened, question, trusting):
    decider = trusting()
    layer = opened(decider=decider)
    for text in ("refund/1", "refund/1b", "delivery/1"):
        layer.put(question(text), text)
    asked = question("refund/2")
    verdict = layer.ask(asked)
    gone = layer.wrong(verdict.entry, asked.exact.digest)
    assert gone >= 1
    assert "delivery/1" in [item.record.value for item in layer.scan()]
    assert layer.ask(question("delivery/2")).served is Served.HIT
    assert decider.told == [("feedback", "p", "refund/2", False)]
    assert layer.wrong(verdict.entry, asked.exact.digest) == 0
    assert decider.told[1:] == []
    assert layer.stats().invalidations == gone


def test_neighbours_are_those_as_near_as_the_question_was(opened, question, vector_of):
    layer = opened()
    for variant in range(5):
        layer.put(attrs.evolve(question(f"n/{variant}"), vector=vector_of(f"n/{variant}", 0.9999)), "near")
    layer.put(question("far/1"), "far")
    asked = question("n/asked")  # farther from all of them than they are from one another
    assert layer.wrong("", asked.exact.digest) == 0
    assert layer.ask(asked).served is Served.HIT
    assert layer.wrong("", asked.exact.digest) == 5
    assert [item.record.value for item in layer.scan()] == ["far"]


def test_that_a_served_answer_was_right_is_learned_once(opened, question, trusting):
    decider = trusting()
    layer = opened(decider=decider)
    layer.put(question("refund/1"), "r")
    asked = question("refund/2")
    layer.ask(asked)
    for _ in range(3):
        layer.right("", asked.exact.digest)
    layer.right("", question("never/1").exact.digest)
    assert decider.told == [("feedback", "p", "refund/2", True)]
    layer.ask(question("refund/1"))  # an equal request's answer says nothing of similar ones
    layer.right("", question("refund/1").exact.digest)
    assert len(decider.told) == 1


def test_a_comparison_is_learned_of_the_entry_that_was_compared(opened, question, trusting):
    decider = trusting()
    layer = opened(decider=decider)
    layer.put(question("refund/1"), "r")
    verdict = layer.ask(question("refund/2"))
    layer.judged(question("refund/2"), verdict, same=True)
    layer.judged(question("refund/2", "another"), verdict, same=False)
    assert decider.told == [("judged", "p", "refund/2", "refund/1", True)]


def test_invalidate_forgets_the_entry_of_an_exact_key(opened, question):
    layer = opened()
    layer.put(question("a/1"), "a")
    assert not layer.invalidate(CacheKey("reply", "0" * 64))
    assert layer.invalidate(question("a/1").exact)
    assert not layer.invalidate(question("a/1").exact)
    assert layer.ask(question("a/2")).served is Served.MISS


def test_evidence_of_another_version_is_none_and_that_is_said(opened, question):
    layer = opened()
    layer.put(question("a/1"), "a")
    layer.judged(question("a/2"), layer.ask(question("a/2")), same=True)
    layer.close()
    told, decider = [], Decider()
    layer = opened(decider=decider, report=told.append)
    assert (len(told), "the evidence begins anew" in told[0], decider.report()) == (1, True, {})
    assert [layer.ask(question(text)).served for text in ("a/1", "a/2")] == [Served.HIT, Served.MISS], (
        "equal ones alone"
    )


def test_clear_forgets_entries_and_keeps_evidence(opened, question, trusting):
    layer = opened()
    layer.put(question("a/1"), "a")
    layer.judged(question("a/2"), layer.ask(question("a/2")), same=True)
    layer.clear()
    assert layer.ask(question("a/1")).served is Served.MISS
    layer.close()
    decider = trusting()
    assert list(opened(decider=decider).scan()) == []
    assert decider.loaded == b"evidence"


def test_another_layer_of_the_same_file_finds_what_was_put_and_nothing_that_was_dropped(opened, question):
    one, other = opened(), opened()
    one.put(question("a/1"), "a")
    assert other.ask(question("a/2")).served is Served.HIT
    one.put(question("b/1"), "b")
    assert other.ask(question("b/2")).served is Served.HIT
    one.invalidate(question("a/1").exact)
    assert other.ask(question("a/2")).served is Served.MISS


def test_many_kept_answers_are_found_after_a_start(opened, question):
    layer = opened(capacity=5_000)
    for number in range(1_500):
        layer.put(question(f"t{number}/1"), str(number))
    layer.close()
    again = opened(capacity=5_000)
    again.settle()
    found = [again.ask(question(f"t{number}/2")) for number in range(0, 1_500, 30)]
    right = sum(v.served is Served.HIT and v.record.value == str(n * 30) for n, v in enumerate(found))
    assert right >= 49


def test_threads_may_use_it_at_once(opened, question):
    layer, faults = opened(capacity=60), []

    def work(seed):
        chance = random.Random(seed)
        try:
            for _ in range(150):
                text = f"t{chance.randrange(40)}/{chance.randrange(3)}"
                partition = f"tenant {chance.randrange(2)}"
                if chance.random() < 0.5:
                    layer.put(question(text, partition), f"{partition} {text}")
                    continue
                verdict = layer.ask(question(text, partition))
                if verdict.served is Served.HIT and not verdict.record.value.startswith(partition):
                    faults.append(verdict)
        except Exception as error:  # noqa: BLE001 - told below
            faults.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert layer.stats().size <= 60


def test_a_closed_layer_may_be_closed_again(opened, question):
    layer = opened(folder=None)
    layer.put(question("a/1"), "a")
    layer.close()
    assert layer.close() is None


def test_a_hit_that_the_judge_calls_wrong_is_evicted_and_spoken_of_once(opened, question):
    layer = opened()
    for text in ("tea/1", "rice/1"):
        layer.put(question(text), "an answer")
    asked = question("tea/3", judge_draw=0.0)
    verdict = layer.ask(asked)
    assert verdict.judge
    layer.judged(asked, verdict, same=False)
    assert layer._decider.told == [("judged", "p", "tea/3", layer._decider.told[0][3], False)]
    assert [layer.ask(question(text)).served for text in ("tea/4", "rice/2")] == [Served.MISS, Served.HIT]
    assert layer.wrong(verdict.entry, asked.exact.digest) == 0
    assert len(layer._decider.told) == 1
    assert layer.stats().invalidations == 1


def test_a_hit_that_the_judge_calls_right_stays(opened, question):
    layer = opened()
    layer.put(question("tea/1"), "an answer")
    asked = question("tea/3", judge_draw=0.0)
    layer.judged(asked, layer.ask(asked), same=True)
    assert layer.ask(question("tea/4")).served is Served.HIT
    assert layer._decider.told[0][-1] is True


def test_a_decision_reads_only_the_entries_that_it_looks_at(opened, question, trusting):
    class First(trusting):
        def decide(self, partition, question, near, draw, bound, judge_draw):
            return super().decide(partition, question, near[:1], draw, bound, judge_draw)

    layer = opened(decider=First())
    for number in range(5):
        layer.put(question(f"tea/{number}"), "an answer")
    read, get = [], layer._store.get
    layer._store.get = lambda number, **more: read.append(number) or get(number, **more)
    assert layer.ask(question("tea/9")).served is Served.HIT
    assert len(read) == 1

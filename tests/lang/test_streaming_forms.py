"""Streaming forms: what they ask their host for; callbacks are ordinary calls of the program, one at a time."""

from __future__ import annotations

import pytest

from rtfs_framework.api import Keyword, Map, read_value, write
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.passes.table import ALL

RUN = "(stream-run {:stream 7} step)"
BATCHES = {"mcp.stream.next": ["{:items [1 2] :seq 0 :epoch 1 :state 0}", "{:items [3] :seq 2 :epoch 1 :done true}"]}


def asked(text: str, **answers: list[str]) -> tuple[str, list[str]]:
    """Return what a program gives, and the calls it makes: capability and arguments."""
    run = Instance(compile_source(text, passes=ALL, verified=True)).start()
    outcome, calls = run.step(), []
    left = {name.replace("_", "."): list(texts) for name, texts in answers.items()}
    left.setdefault("mcp.stream.attach", ['{:stream "s"}'])
    while not isinstance(outcome, Complete):
        name = outcome.call.capability
        calls.append(" ".join([name, *map(write, outcome.call.args)]))
        texts = left.get(name)
        outcome = run.resume(read_value(texts.pop(0)) if texts else Map.of([(Keyword("status"), Keyword("completed"))]))
    return write(outcome.value), calls


def test_a_processor_is_called_for_each_item_and_its_state_goes_back_with_its_position() -> None:
    step = "(defn step [sum item m] {:state (+ sum item) :output (if (odd? item) [item (:seq m) (:stream m)])})"
    value, calls = asked(step + RUN, mcp_stream_next=BATCHES["mcp.stream.next"])
    assert value == "{:status :completed}"
    assert calls == [
        "mcp.stream.attach {:stream 7}",
        'mcp.stream.next {:stream "s"} {}',
        'mcp.stream.next {:stream "s"} {:seq 2 :state 3 :outputs [[1 0 "s"]] :action :continue :epoch 1}',
        'mcp.stream.commit {:stream "s"} {:seq 3 :state 6 :outputs [[3 2 "s"]] :action :continue :epoch 1}',
    ]


@pytest.mark.parametrize("action", [":pause", ":cancel", ":complete"])
def test_an_action_ends_the_run_at_its_item(action: str) -> None:
    step = f"(defn step [sum item m] {{:state item :action (if (= item 1) {action} :continue)}})"
    _, calls = asked(step + RUN, mcp_stream_next=BATCHES["mcp.stream.next"])
    told = f"{{:seq 1 :state 1 :outputs [] :action {action} :epoch 1}}"
    assert calls[2:] == [f'mcp.stream.commit {{:stream "s"}} {told}']


def test_stages_come_before_the_processor_and_leave_the_positions_alone() -> None:
    program = """(defn step [seen item m] {:state (conj (or seen []) [item (:seq m)])})
                 (stream-run (->> {:stream "s"} (stream-filter odd?) (stream-map inc)) step)"""
    _, calls = asked(program, mcp_stream_next=["{:items [1 2 3] :seq 5 :epoch 1 :done true}"])
    assert calls[-1].endswith("{:seq 8 :state [[2 5] [4 7]] :outputs [] :action :continue :epoch 1}")


def test_callbacks_are_called_one_after_the_other_and_what_they_throw_is_told() -> None:
    program = """(stream-consume "feed" {:on-item (fn [x] (if (= x 2) (throw "two") (call :seen x)))
                                        :on-error (fn [error x] (call :failed x))
                                        :on-end (fn [ended] (call :over))})"""
    _, calls = asked(program, mcp_stream_next=["{:items [1 2 3] :seq 0 :epoch 1 :done true}"])
    assert calls[0] == 'marketplace.stream.register-callbacks "feed" [:on-item :on-error :on-end]'
    assert [call for call in calls if "stream" not in call] == ["seen 1", "failed 2", "seen 3", "over"]


def test_names_of_the_program_are_not_taken_for_the_languages() -> None:
    program = "(defn step [s item m] {:state item}) (let [get 1 count 2 reduce 3 state 4 items 5] " + RUN + ")"
    _, calls = asked(program, mcp_stream_next=BATCHES["mcp.stream.next"])
    assert calls[-1].startswith('mcp.stream.commit {:stream "s"} {:seq 3 :state 3')


@pytest.mark.parametrize("text", ['(stream-run "s")', '(stream-consume "s")', "(stream-next)", "(mcp-stream 1 f)"])
def test_other_shapes_are_refused(text: str) -> None:
    with pytest.raises(LanguageError) as found:
        compile_source(text)
    assert [each.code for each in found.value.diagnostics] == ["E0201"]

"""Positions, states and queues: nothing lost or doubled, whoever calls again, dies, or comes between."""

from __future__ import annotations

from threading import Thread
from time import sleep

import pytest

from rtfs_framework.api import CapabilityError, Keyword, Map, read_value, write

NEXT, RUN, COMMIT = "marketplace.stream.next", "mcp.stream.next", "mcp.stream.commit"
START, SEND = "marketplace.stream.start", "marketplace.stream.send"


def said(epoch, seq, state, outputs="[]", action=":continue"):
    return f"{{:epoch {epoch} :seq {seq} :state {state} :outputs {outputs} :action {action}}}"


def of(made, *names):
    return tuple(made.get(Keyword(name)) for name in names)


def test_items_are_pulled_one_by_one_to_the_end(desk):
    handle = desk.call(START, "{:range [7 9]}", "{:of :int}")
    assert write(handle).endswith(':of ":int" :effects [] :replayable true}')
    assert [write(desk.call(NEXT, handle)) for _ in range(3)] == ["{:value 7 :seq 0}", "{:value 8 :seq 1}", "nil"]


def test_a_call_that_is_made_again_gives_the_same(desk, another):
    desk.call(START, "{:range [0 9]}", '{:name "r"}')
    first = [desk.call(NEXT, '"r"', "{:max 2}", key="a"), desk.call(NEXT, '"r"', "{:max 2}", key="b")]
    assert desk.call(NEXT, '"r"', "{:max 2}", key="b") == another().call(NEXT, '"r"', "{:max 2}", key="b") == first[1]
    assert of(desk.call(NEXT, '"r"', "{:max 2}"), "items", "seq") == ((4, 5), 4)


def test_several_branches_that_pull_from_one_stream_are_each_given_the_same_again(desk, another):
    desk.call(START, "{:range [0 9]}", '{:name "r"}')
    first = [desk.call(NEXT, '"r"', key=key) for key in "abc"]
    other = another()
    assert [other.call(NEXT, '"r"', key=key) for key in "cab"] == [first[2], first[0], first[1]]
    assert of(other.call(NEXT, '"r"'), "value") == (3,)


def test_starting_again_finds_the_stream_and_another_source_is_refused(desk):
    one = desk.call(START, "{:range [0 9]}", '{:name "r"}')
    desk.call(NEXT, one)
    assert desk.call(START, "{:range [0 9]}", '{:name "r"}') == one
    assert of(desk.call(NEXT, one), "value") == (1,)
    with pytest.raises(CapabilityError, match="another source"):
        desk.call(START, "{:range [0 8]}", '{:name "r"}')


def test_position_and_state_go_together_and_what_was_not_done_with_is_given_again(desk, another):
    desk.call(START, "{:range [0 9]}", '{:name "r" :batch 3 :state 0}')
    first = desk.call(RUN, '"r"', "{}")
    assert of(first, "items", "seq", "epoch", "state") == ((0, 1, 2), 0, 1, 0)
    assert of(desk.call(RUN, '"r"', said(1, 3, 3)), "items", "seq") == ((3, 4, 5), 3)
    desk.call(COMMIT, '"r"', said(1, 4, 6, action=":pause"))
    other = another()
    assert of(other.call("mcp.stream.inspect", '"r"'), "status", "seq", "state") == (Keyword("paused"), 4, 6)
    assert of(other.call(RUN, '"r"', "{}"), "items", "done") == ((), True)
    other.call("mcp.stream.resume", '"r"')
    assert of(other.call(RUN, '"r"', "{}"), "items", "seq", "state") == ((4, 5, 6), 4, 6)


def test_of_two_runs_only_the_newer_moves_a_stream(desk, another):
    desk.call(START, "{:range [0 9]}", '{:name "r" :batch 3}')
    other = another()
    desk.call(RUN, '"r"', "{}")
    other.call(RUN, '"r"', "{}")
    for id_ in (RUN, COMMIT):
        with pytest.raises(CapabilityError, match="another run"):
            desk.call(id_, '"r"', said(1, 3, 3))
    assert of(other.call(RUN, '"r"', said(2, 3, 3)), "seq") == (3,)


@pytest.mark.parametrize("seq", [-1, 4])
def test_a_position_that_was_not_given_is_refused(desk, seq):
    desk.call(START, "{:range [0 9]}", '{:name "r" :batch 3}')
    desk.call(RUN, '"r"', "{}")
    with pytest.raises(CapabilityError, match="another run"):
        desk.call(RUN, '"r"', said(1, seq, 0))


def test_an_epoch_that_is_begun_again_by_its_key_is_the_same(desk):
    desk.call(START, "{:range [0 9]}", '{:name "r"}')
    assert desk.call(RUN, '"r"', "{}", key="a") == desk.call(RUN, '"r"', "{}", key="a")


def test_outputs_are_put_with_the_position_or_not_at_all(desk):
    desk.call(START, "{:range [0 9]}", '{:name "r" :batch 2 :sink "out" :capacity 3}')
    desk.call(RUN, '"r"', "{}")
    desk.call(RUN, '"r"', said(1, 2, 0, "[10 11]"), key="a")
    desk.call(RUN, '"r"', said(1, 2, 0, "[10 11]"), key="a")
    with pytest.raises(CapabilityError, match="is full") as found:
        desk.call(RUN, '"r"', said(1, 4, 1, "[12 13]"))
    assert found.value.kind == "ResourceError"
    assert of(desk.call("mcp.stream.inspect", '"r"'), "seq", "state") == (2, 0)
    assert of(
        desk.call(NEXT, '{:stream "o"}' if desk.call(START, '"out"', '{:name "o"}') else "", "{:max 9}"), "items"
    ) == ((10, 11),)


def test_outputs_need_a_place(desk):
    desk.call(START, "{:range [0 9]}", '{:name "r"}')
    desk.call(RUN, '"r"', "{}")
    with pytest.raises(CapabilityError, match="takes no :output"):
        desk.call(COMMIT, '"r"', said(1, 1, 0, "[1]"))


def test_a_full_queue_holds_its_producer_until_there_is_room(desk):
    sink = desk.call("marketplace.stream.open-sink", '"q"', "{:capacity 2 :of :int}")
    assert write(sink) == '{:sink "q" :takes ":int"}'
    desk.call(SEND, sink, 1)
    desk.call(SEND, sink, 2)
    with pytest.raises(CapabilityError, match="is full"):
        desk.call(SEND, sink, 3, "{:wait 1}")
    reader = desk.call(START, '"q"', '{:name "reader"}')
    desk.meanwhile = [lambda: desk.call(NEXT, reader), lambda: desk.call(NEXT, reader)]
    desk.call(SEND, sink, 3)
    assert of(desk.call(NEXT, reader, "{:max 9}"), "items") == ((3,),)


def test_a_reader_waits_as_long_as_its_stream_says_and_hears_the_end(desk):
    reader = desk.call(START, '"q"', '{:name "reader" :wait 5}')
    desk.meanwhile = [lambda: None, lambda: desk.call(SEND, '"q"', 1)]
    assert of(desk.call(NEXT, reader), "value") == (1,)
    assert write(desk.call(NEXT, reader)) == "{:waiting true}"
    desk.call("stream.close", '"q"')
    assert desk.call(NEXT, reader) is None
    with pytest.raises(CapabilityError, match="closed"):
        desk.call(SEND, '"q"', 1)


def test_nobody_waits_beyond_the_time_of_his_call(desk):
    reader = desk.call(START, '"q"', '{:name "reader" :wait 3000}')
    desk.call(NEXT, reader, deadline=30.0)
    assert 28 <= desk.now < 30


def test_an_item_is_put_once_for_each_key_though_it_was_taken_meanwhile(desk):
    reader = desk.call(START, '"q"', '{:name "reader"}')
    desk.call(SEND, '"q"', 1, key="a")
    assert of(desk.call(NEXT, reader, "{:max 9}"), "items") == ((1,),)
    desk.call(NEXT, reader)
    desk.call(SEND, '"q"', 1, key="a")
    assert write(desk.call(NEXT, reader)) == "{:waiting true}"


def test_readers_of_one_queue_share_its_items_and_one_that_ends_gives_back(desk, another):
    for n in range(4):
        desk.call(SEND, '"q"', n)
    for name in ("a", "b"):
        desk.call(START, '"q"', f'{{:name "{name}" :batch 2}}')
    other = another()
    assert of(desk.call(RUN, '"a"', "{}"), "items") == ((0, 1),)
    assert of(other.call(RUN, '"b"', "{}"), "items") == ((2, 3),)
    desk.call(COMMIT, '"a"', said(1, 1, 0, action=":cancel"))
    assert of(other.call(RUN, '"b"', said(1, 2, 0)), "items") == ((1,),)


def test_many_producers_and_readers_at_once_lose_and_double_nothing(desk, another):
    desk.call("marketplace.stream.open-sink", '"q"', "{:capacity 40}")
    found, desks = [], [another() for _ in range(6)]
    for each in desks:
        each.pause = sleep

    def produce(number):
        mine = desks.pop()
        for n in range(25):
            mine.call(SEND, '"q"', number * 100 + n, "{:wait 3000}")

    def read(number):
        mine, name, seq = desks.pop(), f'"r{number}"', 0
        mine.call(START, '"q"', f"{{:name {name} :batch {number + 2}}}")
        batch = mine.call(RUN, name, "{}")
        for _ in range(2_000):
            items, epoch = of(batch, "items", "epoch")
            found.extend(items)
            seq += len(items)
            if len(found) >= 75:
                return
            sleep(0.005)
            batch = mine.call(RUN, name, said(epoch, seq, 0))

    threads = [Thread(target=work, args=(n,)) for n in range(3) for work in (produce, read)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == sorted(number * 100 + n for number in range(3) for n in range(25))


def test_a_stream_that_is_forgotten_gives_back_and_can_be_started_anew(desk):
    desk.call(SEND, '"q"', 1)
    desk.call(START, '"q"', '{:name "a"}')
    desk.call(RUN, '"a"', "{}")
    desk.call("stream.forget", '"a"')
    with pytest.raises(CapabilityError, match="there is no stream"):
        desk.call(RUN, '"a"', "{}")
    desk.call(START, '"q"', '{:name "a"}')
    assert of(desk.call(RUN, '"a"', "{}"), "items") == ((1,),)


@pytest.mark.parametrize(
    ("before", "id_"),
    [("cancel", "mcp.stream.pause"), ("cancel", "mcp.stream.resume"), ("complete", "mcp.stream.cancel")],
)
def test_what_has_ended_stays_so(desk, before, id_):
    desk.call(START, "{:range [0 9]}", '{:name "r"}')
    desk.call(RUN, '"r"', "{}")
    desk.call(COMMIT, '"r"', said(1, 1, 0, action=f":{before}"))
    with pytest.raises(CapabilityError, match="cannot be"):
        desk.call(id_, '"r"')


def test_tenants_have_streams_and_queues_of_their_own(desk):
    desk.call(SEND, '"q"', 1, tenant="a")
    desk.call(START, '"q"', '{:name "r"}', tenant="b")
    assert write(desk.call(NEXT, '"r"', tenant="b")) == "{:waiting true}"
    with pytest.raises(CapabilityError, match="there is no stream"):
        desk.call(NEXT, '"r"', tenant="a")


def test_marks_stay_with_items_states_and_outputs(desk):
    pii = frozenset({"pii"})
    desk.call(SEND, '"q"', 1, marks=pii)
    desk.call(START, '"q"', '{:name "r" :sink "out"}')
    for id_, args in ((RUN, ("{}",)), (RUN, (said(1, 1, 5, "[2]"),)), ("mcp.stream.inspect", ())):
        made = desk.made(desk.entries[id_], _request(id_, '"r"', *args))
        assert made.marks == pii
    desk.call(START, '"out"', '{:name "o"}')
    assert desk.made(desk.entries[NEXT], _request(NEXT, '"o"')).marks == pii


def _request(id_, *texts):
    from rtfs_framework.api import CapabilityRequest

    return CapabilityRequest(id_, tuple(map(read_value, texts)))


@pytest.mark.parametrize(
    ("id_", "args", "words"),
    [
        (SEND, ('"typed"', '"x"'), "expected :int"),
        (SEND, ('"q"', Map.of([(Keyword("f"), len)])), "data only"),
        (SEND, ('"typed"', "[1 2 3 4 5]", "{:all true}"), "do not fit"),
        (START, ('"typed"', "{:of :string}"), "holds items of type :int"),
        (START, ("{:values [1 :a]}", "{:of [:no]}"), "no type"),
        (NEXT, ('{:stream "q" :stages []}',), "stream-run"),
        (START, ("{:range [0 1]}", '{:name ""}'), ":name"),
        (START, ("{:range [0 1]}", "{:batch 0}"), ":batch"),
        (START, ("{:range [0 1]}", "{:batch 2.5}"), ":batch is an integer"),
        (START, ('"q"', "{:capacity 0.5}"), ":capacity is an integer"),
        ("marketplace.stream.open-sink", ('"q"', "{:capacity 0.5}"), ":capacity is an integer"),
        (NEXT, ('"q"', "{:max 1.5}"), ":max is an integer"),
        (START, ("{:range [0 1]}", "{:wait true}"), ":wait"),
        ("marketplace.stream.register-callbacks", ('"q"', "{:on-item 1}"), "stay in their program"),
        ("marketplace.stream.register-callbacks", ('"q"', "[:on-end]"), ":on-item"),
        ("mcp.stream.start", ('{:endpoint "q"}',), "mcp-stream"),
        (COMMIT, ('"q"', "{:epoch 1 :seq 0 :action :stop}"), ":action"),
        (COMMIT, ('"q"', "{}"), "stream-run"),
    ],
)
def test_what_is_wrong_is_said(desk, id_, args, words):
    desk.call("marketplace.stream.open-sink", '"typed"', "{:of :int :capacity 4}")
    with pytest.raises(CapabilityError, match=words):
        desk.call(id_, *args)


@pytest.mark.parametrize("source", ['"q"', '{:lines "data/long"}', '{:merge [{:lines "data/long"}]}'])
def test_a_batch_is_bounded_and_what_is_left_comes_next(desk, tmp_path, monkeypatch, source):
    for module in ("sources", "queues"):
        monkeypatch.setattr(f"rtfs_capability_streams.{module}.MOST_AT_ONCE", 20)
    (tmp_path / "data" / "long").write_text("0123456789\n" * 5)
    desk.call(SEND, '"q"', '["0123456789" "0123456789" "0123456789" "0123456789" "0123456789"]', "{:all true}")
    desk.call("stream.close", '"q"')
    desk.call(START, source, '{:name "r"}')
    found = []
    while not found or not found[-1][1]:
        items, done = of(desk.call(NEXT, '"r"', "{:max 9}"), "items", "done")
        found.append((len(items), done))
    assert sum(count for count, _ in found) == 5
    assert len(found) >= 2


def test_a_file_is_read_in_large_batches_wherever_its_reader_is(desk, tmp_path, monkeypatch):
    monkeypatch.setattr("rtfs_capability_streams.sources.MOST_AT_ONCE", 100)
    (tmp_path / "data" / "long").write_text("0\n" * 200)
    desk.call(START, '{:lines "data/long"}', '{:name "r"}')
    sizes = [len(of(desk.call(NEXT, '"r"', "{:max 20}"), "items")[0]) for _ in range(10)]
    assert sizes == [20] * 10


def test_a_source_is_bounded(desk, monkeypatch):
    monkeypatch.setattr("rtfs_capability_streams.streams.MOST_SOURCE", 40)
    desk.call(START, "{:values [0 1 2]}")
    with pytest.raises(CapabilityError, match="at most 40 characters"):
        desk.call(START, "{:values [0 1 2 3 4 5 6 7 8 9 10 11 12 13]}")


@pytest.fixture
def sparse(desk, tmp_path, monkeypatch):
    """Return a stream of two items with many lines without a value before each, of which one look passes over 3."""
    monkeypatch.setattr("rtfs_capability_streams.sources.MOST_PASSED", 3)
    (tmp_path / "data" / "sparse").write_text(("\n" * 40 + "7\n") * 2)
    return desk.call(START, '{:jsonl "data/sparse"}', '{:name "r" :of :int :batch 1}')


def test_many_items_that_are_passed_over_are_passed_over_step_by_step(desk, sparse):
    assert [write(desk.call(NEXT, sparse)) for _ in range(3)] == ["{:value 7 :seq 0}", "{:value 7 :seq 1}", "nil"]
    assert 0 < desk.now < 0.1


def test_whoever_runs_them_hears_the_end(desk, sparse):
    batch, seq = desk.call(RUN, sparse, "{}"), 0
    while of(batch, "done") == (False,):
        seq += len(of(batch, "items")[0])
        batch = desk.call(RUN, sparse, said(1, seq, 0))
    assert of(desk.call(COMMIT, sparse, said(1, 2, 0)), "status", "seq") == (Keyword("completed"), 2)


def test_passing_over_ends_with_the_time_of_its_call_and_the_next_call_goes_on(desk, sparse):
    assert write(desk.call(NEXT, sparse, deadline=1.005)) == "{:waiting true}"
    before = desk.now
    assert of(desk.call(NEXT, sparse), "value", "seq") == (7, 0)
    assert desk.now - before < 0.012


def test_what_is_kept_is_bounded(desk, monkeypatch):
    monkeypatch.setattr("rtfs_capability_streams.sources.MOST_KEPT", 10)
    desk.call(START, '"q"', '{:name "r" :sink "out"}')
    desk.call(SEND, '"q"', 1)
    desk.call(RUN, '"r"', "{}")
    for state, outputs in (('"0123456789"', "[]"), ("0", '["0123456789"]')):
        with pytest.raises(CapabilityError, match="at most 10 characters"):
            desk.call(COMMIT, '"r"', said(1, 1, state, outputs))
    with pytest.raises(CapabilityError, match="at most 10 characters"):
        desk.call(SEND, '"q"', '"0123456789"')
    assert of(desk.call("mcp.stream.inspect", '"r"'), "seq") == (0,)


def test_an_item_of_another_type_stops_the_stream_where_it_is(desk):
    desk.call(START, "{:values [1 :a]}", '{:name "r" :of :int :batch 1}')
    desk.call(NEXT, '"r"')
    with pytest.raises(CapabilityError, match="expected :int, got keyword") as found:
        desk.call(NEXT, '"r"')
    assert found.value.kind == "TypeValidationError"


def test_streams_without_a_name_are_bounded(desk, monkeypatch):
    monkeypatch.setattr("rtfs_capability_streams.schema.UNNAMED_KEPT", 3)
    named = desk.call(START, "{:range [0 9]}", '{:name "r"}')
    handles = [desk.call(START, "{:range [0 9]}") for _ in range(5)]
    assert desk.call(NEXT, named) == desk.call(NEXT, handles[-1])
    with pytest.raises(CapabilityError, match="there is no stream"):
        desk.call(NEXT, handles[0])

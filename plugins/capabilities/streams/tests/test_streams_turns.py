"""Who comes between: other tenants, whoever cancels, forgets or pulls, and replies that are remembered no more."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from rtfs_framework.api import CapabilityError, CapabilityRequest, Keyword, read_value

NEXT, RUN, COMMIT = "marketplace.stream.next", "mcp.stream.next", "mcp.stream.commit"
START, SEND, SINK = "marketplace.stream.start", "marketplace.stream.send", "marketplace.stream.open-sink"


def said(epoch, seq, state=0, outputs="[]", action=":continue"):
    return f"{{:epoch {epoch} :seq {seq} :state {state} :outputs {outputs} :action {action}}}"


def of(made, *names):
    return tuple(made.get(Keyword(name)) for name in names)


def rows(tmp_path, table):
    with closing(sqlite3.connect(tmp_path / "streams.sqlite")) as db:
        return db.execute(f"select count(*) from {table}").fetchone()[0]


def test_no_tenant_pushes_out_what_another_was_told(desk, monkeypatch):
    monkeypatch.setattr("rtfs_capability_streams.schema.PULLS_KEPT", 3)
    for tenant in ("a", "b"):
        desk.call(START, "{:range [0 99]}", '{:name "r"}', tenant=tenant)
    first = [desk.call(NEXT, '"r"', tenant="a", key=key) for key in ("k1", "k2")]
    for _ in range(9):
        desk.call(NEXT, '"r"', tenant="b")
    assert [desk.call(NEXT, '"r"', tenant="a", key=key) for key in ("k1", "k2")] == first


@pytest.mark.parametrize("source", ["{:range [0 9]}", '"q"'])
def test_the_last_reply_is_given_again_though_it_is_remembered_no_more(desk, monkeypatch, source):
    monkeypatch.setattr("rtfs_capability_streams.schema.PULLS_KEPT", 0)
    desk.call(SEND, '"q"', "[0 1 2 3]", "{:all true}")
    desk.call(START, source, '{:name "r"}')
    for n in range(3):
        assert [of(desk.call(NEXT, '"r"', key=f"k{n}"), "value", "seq") for _ in range(2)] == [(n, n)] * 2


def test_replies_are_bounded_by_their_size_and_go_with_their_stream(desk, tmp_path, monkeypatch):
    monkeypatch.setattr("rtfs_capability_streams.schema.PULLS_SIZE", 40)
    desk.call(START, '{:values ["0123456789" "0123456789" "0123456789" "0123456789" "0123456789"]}', '{:name "r"}')
    desk.call(START, "{:range [0 9]}", '{:name "other"}')
    desk.call(NEXT, '"other"')
    for _ in range(5):
        desk.call(NEXT, '"r"')
    assert rows(tmp_path, "pulled") == 1 + 2
    desk.call("stream.forget", '"r"')
    assert rows(tmp_path, "pulled") == 1


@pytest.mark.parametrize("id_", [RUN, COMMIT])
def test_what_went_back_by_a_cancel_from_outside_counts_for_one_reader_alone(desk, another, id_):
    desk.call(SEND, '"q"', "[0 1 2]", "{:all true}")
    desk.call(START, '"q"', '{:name "a" :sink "out"}')
    desk.call(START, '"q"', '{:name "b"}')
    assert of(desk.call(RUN, '"a"', "{}"), "items", "epoch") == ((0, 1, 2), 1)
    other = another()
    other.call("mcp.stream.cancel", '"a"')
    assert of(other.call(RUN, '"b"', "{}"), "items") == ((0, 1, 2),)
    with pytest.raises(CapabilityError, match="was cancelled"):
        desk.call(id_, '"a"', said(1, 3, 7, "[1]"))
    assert of(desk.call("mcp.stream.inspect", '"a"'), "seq", "state", "status") == (0, None, Keyword("cancelled"))
    assert of(other.call(COMMIT, '"b"', said(1, 3, action=":pause")), "seq") == (3,)


def test_items_that_somebody_else_has_are_not_done_with(desk, tmp_path):
    desk.call(SEND, '"q"', "[0 1]", "{:all true}")
    desk.call(START, '"q"', '{:name "a"}')
    desk.call(RUN, '"a"', "{}")
    with closing(sqlite3.connect(tmp_path / "streams.sqlite")) as db, db:
        db.execute("update items set reader = 'b' where n = 1")
    with pytest.raises(CapabilityError, match="another run"):
        desk.call(COMMIT, '"a"', said(1, 2))
    assert rows(tmp_path, "items") == 2


def test_a_run_never_moves_a_stream_that_took_the_name_of_its_own(desk, another):
    desk.call(START, "{:range [0 9]}", '{:name "r" :batch 3}')
    assert of(desk.call(RUN, '"r"', "{}"), "epoch") == (1,)
    other = another()
    other.call("stream.forget", '"r"')
    other.call(START, "{:range [0 9]}", '{:name "r" :batch 3}')
    other.call(RUN, '"r"', "{}")
    for id_ in (RUN, COMMIT):
        with pytest.raises(CapabilityError, match="another run"):
            desk.call(id_, '"r"', said(1, 3))


@pytest.mark.parametrize("source", ["{:range [0 6]}", '"q"'])
def test_a_pull_amid_a_run_loses_and_doubles_nothing(desk, another, source):
    desk.call(SEND, '"q"', "[0 1 2 3 4 5]", "{:all true}")
    desk.call("stream.close", '"q"')
    desk.call(START, source, '{:name "r" :batch 3}')
    desk.call(RUN, '"r"', "{}")
    other = another()
    assert of(other.call(NEXT, '"r"'), "value", "seq") == (0, 0)
    for id_ in (RUN, COMMIT):
        with pytest.raises(CapabilityError, match="another run"):
            desk.call(id_, '"r"', said(1, 3))
    assert of(other.call(NEXT, '"r"', "{:max 9}"), "items", "seq") == ((1, 2, 3, 4, 5), 1)


def test_streams_without_a_name_are_bounded_per_tenant_and_those_in_use_stay(desk, monkeypatch):
    monkeypatch.setattr("rtfs_capability_streams.schema.UNNAMED_KEPT", 3)
    used = desk.call(START, "{:range [0 99]}", tenant="a")
    idle = desk.call(START, "{:range [0 99]}", tenant="a")
    for n in range(5):
        assert of(desk.call(NEXT, used, tenant="a"), "value") == (n,)
        desk.call(START, "{:range [0 9]}", tenant="a")
        desk.call(START, "{:range [0 9]}", tenant="b")
    with pytest.raises(CapabilityError, match="there is no stream"):
        desk.call(NEXT, idle, tenant="a")


def test_who_hears_the_type_of_a_queue_is_marked_as_who_said_it(desk):
    def asked(*texts, **about):
        return desk.entries[SINK].handler(CapabilityRequest(SINK, tuple(map(read_value, texts)), **about))

    pii = frozenset({"pii"})
    assert asked('"q"', "{:of :int}", marks=pii).marks == pii
    told = asked('"q"')
    assert (told.marks, of(told.value, "takes")) == (pii, (":int",))

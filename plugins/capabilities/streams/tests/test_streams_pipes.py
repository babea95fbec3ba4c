"""Pipes: lines as they come, bounded; what a process that died had taken is never passed over in silence."""

from __future__ import annotations

import os

import pytest

from rtfs_framework.api import CapabilityError, Keyword, write

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
START, NEXT, RUN = "marketplace.stream.start", "marketplace.stream.next", "mcp.stream.next"


@pytest.fixture
def pipe(tmp_path, desk):
    """Return what writes to the pipe; it stays open."""
    os.mkfifo(tmp_path / "data" / "pipe")
    handle = desk.call(START, '{:pipe "data/pipe"}', '{:name "p" :of :string :capacity 3}')
    assert write(handle).endswith(":effects [:ipc] :replayable false}")
    assert write(desk.call(NEXT, handle)) == "{:waiting true}"
    with (tmp_path / "data" / "pipe").open("wb", buffering=0) as writer:
        yield lambda text: writer.write(text.encode()) if text else writer.close()


def more(desk, id_='"p"'):
    found = desk.call(NEXT, id_, "{:max 9}")
    return found.get(Keyword("items")), found.get(Keyword("done"))


def test_lines_come_whole_and_the_last_writer_ends_them(desk, pipe):
    pipe("a\nb")
    assert more(desk) == (("a",), False)
    pipe("c\r\nd")
    assert more(desk) == (("bc",), False)
    pipe("")
    assert more(desk) == (("d",), True)


def test_no_more_is_taken_than_there_is_room_for(desk, pipe):
    pipe("1\n2\n3\n4\n5\n")
    assert more(desk) == (("1", "2", "3"), False)
    assert more(desk) == (("4", "5"), False)


def test_an_item_that_is_not_done_with_is_given_again_to_the_same_process(desk, pipe):
    pipe("1\n2\n")
    desk.call(RUN, '"p"', "{}")
    assert desk.call(RUN, '"p"', "{}").get(Keyword("items")) == ("1", "2")


def test_another_process_is_refused_until_somebody_takes_the_gap(desk, pipe, another):
    pipe("1\n2\npart")
    assert more(desk) == (("1", "2"), False)
    other = another()
    for call in (lambda: more(other), lambda: other.call(RUN, '"p"', "{}")):
        with pytest.raises(CapabilityError, match=r"cannot be replayed.*mcp\.stream\.resume"):
            call()
    other.call("mcp.stream.resume", '"p"')
    assert other.call(RUN, '"p"', "{}").get(Keyword("items")) == ("1", "2")
    with pytest.raises(CapabilityError, match="cannot be replayed"):
        more(desk)


@pytest.mark.parametrize(("text", "refused"), [("1\n", False), ("1\npart", True)])
def test_who_ends_well_leaves_no_gap_unless_a_line_was_begun(desk, pipe, another, text, refused):
    pipe(text)
    more(desk)
    desk.set.close()
    other = another()
    if not refused:
        assert more(other) == ((), False)
        return
    with pytest.raises(CapabilityError, match="cannot be replayed"):
        more(other)


def test_a_transaction_that_fails_takes_nothing_out(desk, pipe, monkeypatch):
    pipe("1\n2\n")
    with monkeypatch.context() as broken:
        broken.setattr("rtfs_capability_streams.tables.save", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            more(desk)
    assert more(desk) == (("1", "2"), False)


def test_a_line_without_an_end_is_refused(desk, pipe, monkeypatch):
    monkeypatch.setattr("rtfs_capability_streams.pipes.MOST_LINE", 10)
    pipe("x" * 11)
    with pytest.raises(CapabilityError, match="more than 10 bytes"):
        more(desk)

"""What handlers answer, by a clock and a source of chance that the test holds, and what they write."""

from __future__ import annotations

import io
import random
import sys

import anyio
import pytest

from rtfs_capability_standard import output, values
from rtfs_capability_standard.settings import OutputGrant
from rtfs_capability_standard.surroundings import Surroundings
from rtfs_framework.api import CapabilityError, CapabilityGrant, CapabilityRequest, Keyword, ProgramError, write


def asked(id_, *args, **more):
    return CapabilityRequest(id_, args, **more)


def test_the_clock_is_told_in_each_unit():
    here = Surroundings(lambda: 1_700_000_000.1239)
    assert here.milliseconds(asked("t")) == 1_700_000_000_123
    assert here.seconds(asked("t")) == 1_700_000_000
    assert write(here.timestamp(asked("t"))) == '#timestamp("2023-11-14T22:13:20.123Z")'


def test_chance_comes_from_its_source():
    here, again = (Surroundings(chance=random.Random(7)) for _ in range(2))
    drawn = [here.random(asked("r", 1, 7)) for _ in range(60)]
    assert set(drawn) == set(range(1, 7))
    assert drawn == [again.random(asked("r", 1, 7)) for _ in range(60)]
    assert here.uuid(asked("u")) == again.uuid(asked("u")) != here.uuid(asked("u"))
    assert all(0 <= here.random(asked("r")) < 1 for _ in range(20))


def test_a_pause_that_a_call_has_no_time_for_names_what_has():
    with pytest.raises(ProgramError, match=r'cannot wait 30 s in one call; write \(host/sleep "30s"\)'):
        anyio.run(Surroundings().sleep, asked("ccos.system.sleep-ms", 30_000, deadline=30.0))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"a": {"b-c": 1, "two words": 2, "": 3, "1": 4, ":k": 5}}', '{:a {:b-c 1 "two words" 2 "" 3 "1" 4 ":k" 5}}'),
        ('[{"ä": 1}]', '[{"ä" 1}]'),
    ],
)
def test_keys_become_keywords_where_those_read_back(text, shown):
    assert write(values.parse_keyed(asked("p", text))) == shown


class Broken(io.StringIO):
    """A stream whose reader has gone."""

    def flush(self):
        raise BrokenPipeError(32, "Broken pipe")


TO_STDOUT = (CapabilityGrant(OutputGrant(to="stdout")),)


@pytest.mark.parametrize(
    ("handler", "args", "text"),
    [
        (output.println, ("Result:", 3, ("x",)), '"Result:" 3 ["x"]\n'),
        (output.println, (), "\n"),
        (output.print_, ("a", "b"), "a b"),
        (output.log, ("started", 3), "log: started 3\n"),
        (output.log, (Keyword("warn"), "low"), "warn: low\n"),
        (output.log, (Keyword("other"), "low"), "log: :other low\n"),
        (output.log, (Keyword("warn"),), "log: :warn\n"),
        (output.println, ("\x1b]0;title\x07\x1b[2J\r\u202e",), '"\\u001b]0;title\\u0007\\u001b[2J\\r\\u202e"\n'),
        (output.println, ("two\nlines",), '"two\\nlines"\n'),
        (output.log, ("one\nerror: forged",), "log: one\\nerror: forged\n"),
        (output.print_, ("\x1b[8m",), "\\u001b[8m"),
        (output.println, ("\ud800",), '"\\ud800"\n'),
        (output.print_, ("two\nlines",), "two\nlines"),
    ],
)
@pytest.mark.parametrize("grants", [(), TO_STDOUT], ids=["stderr", "stdout"])
def test_lines_go_where_the_grant_says_and_steer_no_terminal(capsys, handler, args, text, grants):
    assert handler(asked("ccos.io", *args, grants=grants)) is None
    found = capsys.readouterr()
    assert (found.out, found.err) == ((text, "") if grants else ("", text))


def test_what_an_encoding_lacks_is_shown_as_an_escape(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="ascii"))
    output.println(asked("ccos.io.println", "é€"))
    assert raw.getvalue() == b'"\\xe9\\u20ac"\n'


def test_a_stream_that_cannot_be_written_is_an_error_of_the_call(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Broken())
    with pytest.raises(CapabilityError, match="stdout cannot be written") as caught:
        output.println(asked("ccos.io.println", "x", grants=TO_STDOUT))
    assert caught.value.kind == "IoError"


def test_without_a_stream_nothing_is_written(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert output.log(asked("ccos.io.log", "x")) is None

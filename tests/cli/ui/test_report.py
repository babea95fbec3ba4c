"""`rtfs report`: one file with charts that needs nothing else, holds what the journal keeps, and no other text."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from html import unescape

import pytest

from rtfs_framework.cli.ui import charts
from rtfs_framework.cli.ui.past import tree


def call(**more):
    made = {
        "entry": 1, "record": None, "path": "0", "symbol": "f", "kind": "delegated", "target": "remote big",
        "cache": "", "cost": 0.0, "micros": 1000, "decided_at": 100.5, "attempts": [], "error_kind": "",
        "input_tokens": 1, "output_tokens": 2,
    }  # fmt: skip
    return {**made, **more}


def test_a_report_is_one_file_without_a_script(hostile, folder):
    result = hostile("report", "--out", "run.html")
    assert result.code == 0
    assert os.name != "posix" or (folder / "run.html").stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"run\.html: run [0-9a-f]{12}, 1 call, [0-9,]+ bytes\n", result.out)
    text = (folder / "run.html").read_text(encoding="utf-8")
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert f"style-src 'sha256-{digest}'" in unescape(policy)
    assert policy.startswith("default-src 'none'")
    assert "<script" not in text
    assert not re.search(r"(src|href)=\"(?!#|data:,\")", text)
    assert "url(" not in style
    assert text.count("<svg") > 4
    assert "&lt;script&gt;alert(1)" in text


def test_what_is_removed_from_the_journal_is_in_no_report(hostile, folder):
    hostile("report", "--out", "before.html")
    hostile("runs", "redact", "last")
    hostile("report", "--out", "after.html")
    texts = [(folder / name).read_text(encoding="utf-8") for name in ("before.html", "after.html")]
    assert ["alert(1)" in text for text in texts] == [True, False]


def test_programs_read_what_was_written(hostile, folder):
    data = hostile("report", "last", "--json").data
    assert data["file"] == f"rtfs-{data['run'][:12]}.html"
    assert data["bytes"] == (folder / data["file"]).stat().st_size
    assert (data["calls"], data["listed"]) == (1, 1)
    assert data["targets"]["capability acme.read"]["failed"] == 1


@pytest.mark.parametrize(("args", "code"), [(("nope",), "E0720"), (("last", "--out", "no/where.html"), "E0912")])
def test_what_cannot_be_reported_is_said_so(hostile, args, code):
    result = hostile("report", *args)
    assert result.code in {1, 2}
    assert code in result.err


@pytest.mark.parametrize("command", ["ui", "report"])
def test_without_the_extra_one_is_told_which(rtfs, monkeypatch, command):
    monkeypatch.setattr("rtfs_framework.cli.commands.ui.find_spec", lambda _: None)
    result = rtfs(command)
    assert result.code == 2
    assert "E0991" in result.err
    assert "pip install 'rtfs-framework[ui]'" in result.err


def test_sums_are_of_all_calls_and_bars_of_the_first():
    entries = [call(path=str(n), micros=1000 * (n + 1), decided_at=100 + n, cost=0.5) for n in range(200)]
    entries[3]["cost"] = None
    entries[5]["cache"], entries[6]["error_kind"] = "l2 hit", "HostError"
    sums = charts.gathered(entries, 100.0, 400.0)
    total = sums.total
    assert (total.calls, total.failed, total.served, total.unknown, total.cost) == (200, 1, 1, 1, 99.5)
    assert (total.quantile(0.5), total.quantile(0.95), sums.cache) == (101_000, 191_000, {"l2 hit": 1})
    line = charts.timeline(sums)
    assert (len(line["bars"]), line["more"]) == (charts.MOST_BARS, 120)
    assert all(bar["x"] >= charts.LABEL and bar["x"] + bar["width"] <= charts.WIDTH + 2 for bar in line["bars"])


def test_a_call_began_before_its_last_decision_and_ended_before_its_run():
    tried = call(decided_at=104.0, micros=4_000_000, attempts=[{"seconds": 3.5}, {"seconds": None}])
    assert charts.began(tried, 100.0, None) == 0.5
    assert charts.began(tried, 100.0, 104.25) == 0.25
    assert charts.began(call(decided_at=None), 100.0, None) is None
    assert charts.began(call(decided_at=5.0), 100.0, None) == 0.0


def test_the_tree_names_records_and_branches_once():
    entries = [
        call(entry=0, path="0"),
        call(record=0, path="0"),
        call(record=0, path="0?1", symbol="", kind="consultation"),
        call(record=0, path="1.0.0"),
        call(record=0, path="1.0.1"),
        call(record=1, path="1.1.0"),
    ]
    lines = [(node.depth, node.title, node.name) for node in tree(entries, 100.0, None)]
    assert lines == [
        (0, "top-level forms", ""), (1, "f", "0:0"),
        (0, "call 1 of the program", ""), (1, "record 1", ""), (2, "f", "1:0:0"), (3, "consultation", "1:0:0?1"),
        (2, "fan-out 1, branch 0", ""), (3, "f", "1:0:1.0.0"), (3, "f", "1:0:1.0.1"),
        (1, "record 2", ""), (2, "fan-out 1, branch 1", ""), (3, "f", "1:1:1.1.0"),
    ]  # fmt: skip

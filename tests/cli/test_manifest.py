"""`rtfs manifest` and `rtfs run --manifest`."""

from __future__ import annotations

import pytest

from rtfs_framework.api.toml_places import load_toml

PLUGIN = """
from rtfs_framework.api import CapabilityEntry, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_capabilities():
    return [
        CapabilityEntry(id="acme.read", summary="Reads.", handler=lambda _: "text", effects=("file-read",)),
        CapabilityEntry(id="acme.list", summary="Lists.", handler=lambda _: ("a",), effects=("file-read",)),
    ]
"""
PROGRAM = "(defn main [what] [(call :acme.read) (call what)])\n"


@pytest.fixture
def signed(acme_bad, folder, rtfs):
    """A program, its configuration, and a manifest."""
    acme_bad(PLUGIN)
    (folder / "p.rtfs").write_text(PROGRAM)
    (folder / "own.toml").write_text('[security]\ngrant = ["acme.*"]\n')
    made = rtfs("manifest", "p.rtfs", "--out", "m.toml", "--config", "own.toml")
    assert (made.code, made.lines[0]) == (0, "m.toml: 1 capability, 0 targets")
    assert made.lines[1].startswith("not in it: capabilities whose names it computes at p.rtfs:1:38")
    return lambda *args: rtfs("run", "p.rtfs", *args, "--config", "own.toml", "--manifest", "m.toml")


def test_the_table_is_for_people_and_the_same_each_time(signed, folder, rtfs):
    said = rtfs("manifest", "p.rtfs", "--config", "own.toml").out
    assert said == (folder / "m.toml").read_text()
    data, _ = load_toml(said, "m.toml")
    assert data["capability"] == [{"id": "acme.read", "effects": ["file-read"], "offered_by": "acme-bad"}]
    assert "# p.rtfs:1:20" in said
    assert "# not in it: capabilities whose names it computes at p.rtfs:1:38" in said
    found = rtfs("manifest", "p.rtfs", "--config", "own.toml", "--json", "--allow", "acme.list").data
    assert [each["id"] for each in found["capability"]] == ["acme.list", "acme.read"]
    none = rtfs("manifest", "p.rtfs", "--json", "--allow", "acme.list").data
    assert none["capability"] == []
    assert [each.partition(":")[0] for each in none["left_out"]] == [
        "acme.read at p.rtfs",
        "capabilities whose names it computes at p.rtfs",
        "acme.list",
    ]


def test_a_run_is_held_to_it(signed, rtfs):
    assert signed("acme.read").out == '["text" "text"]\n'
    found = signed("acme.list")
    assert found.code == 1
    assert "p.rtfs:1:38: error[E0710]" in found.err
    assert "it is not in the manifest m.toml" in found.err
    assert (
        "help: look at it and have it signed off anew: rtfs manifest FILE --allow acme.list --out m.toml" in found.err
    )
    again = ("--out", "m.toml", "--config", "own.toml")
    assert rtfs("manifest", "p.rtfs", "--allow", "acme.list", *again).code == 0
    assert signed("acme.list").code == 0
    assert "held to the manifest" in rtfs("runs", "show", "last").out


def test_another_program_is_refused_unless_it_is_for_any(signed, folder, rtfs):
    (folder / "p.rtfs").write_text(PROGRAM + "1\n")
    found = signed("acme.read")
    assert found.code == 1
    assert "error[E0731]" in found.err
    rtfs("manifest", "p.rtfs", "--out", "m.toml", "--config", "own.toml", "--any-program")
    (folder / "p.rtfs").write_text(PROGRAM + "2\n")
    assert signed("acme.read").code == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--on", "dask:127.0.0.1:1", "--input", "x.csv"], "--manifest and --on exclude each other"),
        (["--queued"], "--queued and --manifest exclude each other"),
    ],
)
def test_what_would_go_by_other_rules_is_refused(signed, args, said):
    found = signed(*args)
    assert found.code == 2
    assert said in found.err


def test_records_are_held_to_it(signed, folder, rtfs):
    (folder / "p.rtfs").write_text('(defn main [record] [(call (get record "text")) (call :acme.read)])')
    (folder / "names.csv").write_text("what\nacme.read\nacme.list\n")
    rtfs("manifest", "p.rtfs", "--out", "m.toml", "--config", "own.toml")
    first, second = signed("--input", "names.csv", "--column", "what", "--json").records[:2]
    assert first["value"] == ["text", "text"]
    assert second["error"]["code"] == "E0710"


def test_a_manifest_that_is_not_there(signed, rtfs):
    found = rtfs("run", "p.rtfs", "--manifest", "none.toml")
    assert found.code == 2
    assert "error[E0901]" in found.err


def test_it_is_never_written_over_the_program(signed, rtfs):
    found = rtfs("manifest", "p.rtfs", "--out", "p.rtfs")
    assert found.code == 2
    assert "E0912" in found.err


def test_a_program_that_is_refused_has_none(signed, folder, rtfs):
    (folder / "p.rtfs").write_text("(nobody-knows 1)")
    found = rtfs("manifest", "p.rtfs", "--config", "own.toml")
    assert found.code == 1
    assert "E0203" in found.err


def test_explain_shows_effects(signed, rtfs):
    assert "effects: file-read" in rtfs("explain", "p.rtfs", "--config", "own.toml").out
    sites = rtfs("explain", "p.rtfs", "--config", "own.toml", "--json").data["sites"]
    assert [each["effects"] for each in sites] == [["file-read"], []]

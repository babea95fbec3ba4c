"""`rtfs check`: warnings, hints, the purity of functions, the calls that leave the kernel, modules."""

from __future__ import annotations

import pytest

PROGRAM = """(defn helper [x] (str x))
(defn fetch [path] (call :acme.read path))
(defn main [path] (helper (fetch path)))
"""
WAY_OUT = "`rtfs capabilities search` finds what is offered here; `rtfs plugins` lists what is installed"


def test_purity_and_calls(rtfs, folder) -> None:
    (folder / "p.rtfs").write_text(PROGRAM)
    result = rtfs("check", "p.rtfs")
    assert result.code == 0
    assert result.lines[-6:] == [
        "p.rtfs: helper is pure",
        "p.rtfs: fetch is effectful: calls the capability acme.read (line 2)",
        "p.rtfs: main is effectful: uses fetch, which is effectful (line 3)",
        "p.rtfs:2:20: acme.read leaves the kernel: nothing provides it now (no plugin offers 'acme.read')",
        f"p.rtfs: needs acme.read: not offered: no plug-in that is installed offers it; {WAY_OUT}",
        "1 file checked, 0 errors, 1 warning",
    ]


def test_json(rtfs, folder) -> None:
    (folder / "p.rtfs").write_text(PROGRAM)
    (program,) = rtfs("check", "p.rtfs", "--json").data["programs"]
    assert (program["file"], program["accepted"]) == ("p.rtfs", True)
    purity = {each["name"]: each["purity"] for each in program["functions"]}
    assert purity == {"helper": "pure", "fetch": "effectful", "main": "effectful"}
    because = program["functions"][1]["because"]
    assert because == [{"text": "calls the capability acme.read", "file": "p.rtfs", "line": 2, "column": 20}]
    (call,) = program["calls"]
    assert (call["name"], call["inside"], call["usable"], call["provider"]) == ("acme.read", "fetch", False, None)


def test_all_functions_pure(rtfs, folder) -> None:
    (folder / "p.rtfs").write_text("(defn a [x] x) (defn b [x] (a x))")
    assert rtfs("check", "p.rtfs").lines[0] == "p.rtfs: a and b are pure (all functions)"


def test_hints_are_counted_apart_and_never_fail(rtfs, folder) -> None:
    (folder / "p.rtfs").write_text("(let [a 1] 2)")
    result = rtfs("check", "p.rtfs", "--strict")
    assert result.code == 0
    assert "p.rtfs:1:7: hint[E0230]: 'a' is bound and never used" in result.out
    assert result.lines[-1] == "1 file checked, 0 errors, 0 warnings, 1 hint"


def test_a_program_with_an_error_has_no_section_and_runs_until_it_is_reached(rtfs, folder) -> None:
    (folder / "p.rtfs").write_text('(defn f [x] x)\n(+ 1 "a")')
    result = rtfs("check", "p.rtfs")
    assert result.code == 1
    assert "p.rtfs:2:6: error[E0321]: + needs a number here, and this is a string" in result.out
    assert "is pure" not in result.out
    ran = rtfs("run", "p.rtfs")
    assert ran.code == 1
    assert "E0321" not in ran.err  # it was reached, and is told once
    assert "p.rtfs:2:1: error[E0502]: TypeError" in ran.err


def test_modules_beside_the_program(rtfs, folder) -> None:
    (folder / "sub" / "lib").mkdir(parents=True)
    (folder / "sub" / "lib" / "m.rtfs").write_text("(module lib.m (:exports [f]) (defn f [x] (call :acme.read x)))")
    (folder / "sub" / "p.rtfs").write_text("(import lib.m :as m)\n(defn main [x] (m/f x))")
    result = rtfs("check", "sub/p.rtfs")
    assert result.code == 0
    assert "sub/lib/m.rtfs:1:42: warning[E0711]: the call of acme.read would fail" in result.out
    assert "sub/p.rtfs: main is effectful: uses lib.m/f, which is effectful (line 2)" in result.out
    missing = rtfs("eval", "(import lib.m)")
    assert missing.code == 1
    assert "E0221" in missing.err


@pytest.mark.needs("rtfs-provider-remote-rtfs", "rtfs-capability-mcp", "rtfs-capability-kv")
@pytest.mark.parametrize(
    ("name", "why", "way_out"),
    [
        ("remote-rtfs.execute", "no remote host is configured", "configure one: [delegation.remote_providers.NAME]"),
        ("mcp.time.now", "rtfs-capability-mcp is installed, and offers nothing", "what it needs in [capabilities.mcp]"),
        ("kv.gett", "no plug-in that is installed offers it", "did you mean 'kv.get'?"),
    ],
)
def test_what_an_installed_plugin_offers_once_it_is_configured(rtfs, folder, monkeypatch, name, why, way_out) -> None:
    monkeypatch.delenv("RTFS_PLUGINS", raising=False)
    (folder / "p.rtfs").write_text(f"(defn main [] (call :{name} {{}}))")
    (need,) = rtfs("check", "p.rtfs", "--json").data["programs"][0]["needs"]
    assert why in need["why"]
    assert way_out in need["way_out"]

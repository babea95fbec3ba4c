"""`rtfs capabilities`: what is offered, found by words and types, called, and what a program lacks."""

from __future__ import annotations

import pytest

PLUGIN = '''
import attrs
from rtfs_framework.api import CapabilityEntry, hookimpl, not_granted
from rtfs_framework.api.typed import parse_type

rtfs_api_version = 2


@attrs.frozen(slots=True, kw_only=True)
class Roots:
    """Where files may be read."""

    roots: tuple[str, ...]
    most_bytes: int = 1024


def read(request):
    if any(request.args[0] in each.own.roots for each in request.grants):
        return f"text of {request.args[0]}"
    raise not_granted(request.args[0], "add it to roots")


def entry(id_, handler, takes=None, gives=None, **more):
    parameters = None if takes is None else tuple(map(parse_type, takes))
    returns = None if gives is None else parse_type(gives)
    return CapabilityEntry(
        id=id_, summary=more.pop("summary", "A fake."), handler=handler, parameters=parameters, returns=returns, **more
    )


@hookimpl
def rtfs_capabilities():
    return [
        entry("fs.read", read, [":string"], ":string", effects=("file-read",), aliases=("ccos.file.read",),
              names=("slurp",), idempotent=True, grant=Roots, summary="Read a file."),
        entry("acme.echo", lambda request: request.args, summary="Say it back."),
        entry("acme.fetch", lambda request: {}, ["[:map [:url :url] [:method :string ?]]"], "Page",
              effects=("network",), summary="Fetch a page."),
        entry("acme.parse", lambda request: {}, ["Page"], "Document", summary="Make a document."),
        entry("acme.add", lambda request: sum(request.args), [":int", ":int"], ":int"),
    ]
'''


@pytest.fixture
def market(acme_bad, folder, rtfs):
    """The command line, with a plug-in of capabilities."""
    acme_bad(PLUGIN)
    (folder / "own.toml").write_text(
        '[security]\ngrant = ["acme.echo", { id = "fs.read", roots = ["a.txt"] }, "acme.a*"]\n'
    )
    return lambda *args, config="own.toml": rtfs("capabilities", *args, *(["--config", config] if config else []))


def test_list_tells_who_offers_what_and_whether_it_is_granted(market):
    shown = {line.split()[0]: line for line in market("list").lines}
    assert "file-read" in shown["fs.read"]
    assert " yes " in shown["fs.read"]
    assert "acme-bad 1.0" in shown["fs.read"]
    assert " no " in shown["acme.fetch"]
    granted = market("list", "--granted", "--json").data["capabilities"]
    assert {"acme.add", "acme.echo", "fs.read"} <= {each["id"] for each in granted}
    assert "acme.fetch" not in {each["id"] for each in granted}


def test_show_tells_what_grants_it_and_where_that_stands(market):
    said = market("show", "fs.read").out
    assert "(call :fs.read :string) -> :string" in said
    assert "ccos.file.read, (slurp ...)" in said
    assert "roots: tuple[str, ...]" in said
    assert "most_bytes: int = 1024" in said
    assert "yes: grant 'fs.read' at own.toml:2:23" in said


@pytest.mark.parametrize("name", ["fs.read", ":fs.read", "ccos.file.read", "slurp"])
def test_show_knows_every_name_of_it(market, name):
    found = market("show", name, "--json", config=None).data
    assert found["id"] == "fs.read"
    assert found["granted"] is False
    assert found["way_out"] == 'add  grant = [{ id = "fs.read", roots = ... }]  under [security] in delegation.toml'
    assert found["grant"][0] == {"name": "roots", "type": "tuple[str, ...]", "default": None}


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("fs.red", "pip install rtfs-capability-files"),
        ("acme.ech", "did you mean 'acme.echo'?"),
        ("kv.get", "pip install rtfs-capability-kv"),
        ("mcp.stream.start", "pip install rtfs-capability-streams"),
    ],
)
def test_what_nobody_offers_has_a_way_out(market, name, way_out):
    found = market("show", name)
    assert found.code == 2
    assert "E0711" in found.err
    assert way_out in found.err


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        (["--from", ":string", "--to", ":string"], ["fs.read"]),
        (["--from", '[:enum "a" "b"]', "--to", "[:optional :string]"], ["fs.read"]),
        (["--takes", ":int", "--takes", ":int", "--gives", ":float"], ["acme.add"]),
        (["--takes", ":int", "--gives", ":int"], ["acme.add"]),
        (["--from", ":url"], ["acme.fetch"]),
        (["--to", "Document"], ["acme.parse"]),
        (["read", "file"], ["fs.read"]),
        (["network"], ["acme.fetch"]),
        (["make", "--to", "Document"], ["acme.parse"]),
    ],
)
def test_search_finds_by_words_and_types(market, asked, ids):
    found = market("search", *asked, "--json")
    assert found.code == 0
    assert [each["id"] for each in found.data["found"]] == ids


def test_search_suggests_two_where_one_is_not_enough(market):
    found = market("search", "--from", ":url", "--to", "Document", "--json")
    assert found.data["found"] == []
    assert found.data["suggestions"] == [
        {"call": "(call :acme.parse (call :acme.fetch {:url _}))", "ids": ["acme.fetch", "acme.parse"]}
    ]
    said = market("search", "--from", ":url", "--to", "Document")
    assert said.code == 0
    assert "no capability does that alone" in said.out
    assert "(call :acme.parse (call :acme.fetch {:url _}))" in said.out


@pytest.mark.parametrize(
    "asked", [["--from", ":keyword", "--to", ":uuid"], ["nothing-like-it"], ["--from", ":any", "--to", ":int"]]
)
def test_search_finds_nothing_that_is_not_proved(market, asked):
    assert market("search", *asked).code == 1


def test_search_says_what_a_type_is(market):
    found = market("search", "--from", "[:vektor :int]")
    assert found.code == 2
    assert "E0910" in found.err
    assert "vector" in found.err


def test_call_is_a_run_under_the_rules(market, rtfs):
    assert market("call", "fs.read", "a.txt").out == '"text of a.txt"\n'
    assert market("call", "acme.add", "1", "2").out == "3\n"
    assert market("call", "acme.echo", '{"a": [1]}', "plain").out == '[{"a" [1]} "plain"]\n'
    assert (
        "acme.add" in rtfs("runs", "show", "last~1").out + rtfs("runs", "list").out + rtfs("runs", "show", "last").out
    )


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (["acme.fetch", '{"url": "x"}'], "E0710"),
        (["acme.nothing"], "E0711"),
        (["fs.read", "b.txt"], "not granted: b.txt; add it to roots"),
        (["acme.add", "1"], "ArityMismatch"),
    ],
)
def test_call_is_refused_as_a_program_is(market, asked, code):
    found = market("call", *asked)
    assert found.code == 1
    assert code in found.err


def test_call_refuses_what_is_no_value_of_the_type(market):
    found = market("call", "acme.add", "1", "x")
    assert found.code == 2
    assert "argument 2" in found.err


PROGRAM = """(defn main [name]
  [(slurp "a.txt") (call :acme.fetch {:url "x"}) (call :kv.get :a) (call (str "acme." name) 1)
   (call :acme.fetch {:url 1})])
"""


def test_missing_is_one_list_with_ways_out(market, folder):
    (folder / "p.rtfs").write_text(PROGRAM)
    found = market("missing", "p.rtfs", "--json")
    assert found.code == 1
    assert [(each["id"], each["state"], each["way_out"]) for each in found.data["missing"]] == [
        ("acme.fetch", "not granted", f'add  grant = ["acme.fetch"]  under [security] in {found_name(market)}'),
        ("kv.get", "not offered", "pip install rtfs-capability-kv"),
    ]
    assert found.data["missing"][0]["places"] == ["p.rtfs:2:20", "p.rtfs:3:4"]
    assert found.data["needed"] == 4
    said = market("missing", "p.rtfs").out
    assert "p.rtfs:2:20: needs acme.fetch (network): not granted; add  grant" in said


def found_name(market):
    """Return how refusals name the configuration."""
    way_out = market("show", "acme.fetch", "--json").data["way_out"]
    return way_out.rpartition(" in ")[2]


def test_nothing_missing_is_said_and_told_by_the_exit_code(market, folder):
    (folder / "p.rtfs").write_text('(slurp "a.txt")')
    found = market("missing", "p.rtfs")
    assert (found.code, found.out) == (0, "p.rtfs: nothing is missing\n")
    assert market("missing", "p.rtfs", config=None).code == 1


def test_check_tells_the_same_list(market, folder, rtfs):
    (folder / "p.rtfs").write_text(PROGRAM)
    found = rtfs("check", "p.rtfs", "--config", "own.toml")
    assert "needs fs.read (file-read): grant 'fs.read' at " in found.out
    assert "needs acme.fetch (network): not granted; add  grant" in found.out
    assert (
        "needs kv.get: not offered: no plug-in that is installed offers it; pip install rtfs-capability-kv" in found.out
    )
    assert "needs capabilities whose names it computes: the name is computed" in found.out
    states = [each["state"] for each in rtfs("check", "p.rtfs", "--json").data["programs"][0]["needs"]]
    assert states == ["not granted", "not granted", "not offered", "computed"]
    assert "a grant may say roots: tuple[str, ...], most_bytes: int = 1024" in rtfs("check", "p.rtfs").out

"""The tools of `rtfs mcp`, driven by the official client."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from contextlib import closing, suppress

import pytest
from mcp import MCPError

from rtfs_framework.cli.main import run as run_here
from rtfs_framework.cli.mcp.working import Working
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.meter import meter
from rtfs_framework.orchestrator.session import Session

pytestmark = pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo")

MODES = ("auto", "legacy")


def codes(answer):
    return [each["code"] for each in answer.structured_content["errors"]]


def test_the_tools_have_schemas(asked):
    async def work(client):
        return (await client.list_tools()).tools

    found = {each.name: each for each in asked(work)}
    assert sorted(found) == ["check", "doc", "explain", "prompt", "resume", "run"]
    assert found["run"].input_schema["properties"]["args"]["type"] == "array"
    assert found["run"].input_schema["additionalProperties"] is False
    assert found["run"].output_schema["properties"]["status"] == {"type": "string"}
    assert (found["check"].annotations.read_only_hint, found["run"].annotations.read_only_hint) == (True, False)


@pytest.mark.parametrize("mode", MODES)
def test_each_tool(asked, mode):
    async def work(client):
        checked = await client.call_tool("check", {"program": "(defn f [x] (cont x))"})
        (found,) = [each for each in checked.structured_content["diagnostics"] if each["severity"] == "error"]
        assert (found["code"], found["line"], found["column"]) == ("E0203", 1, 14)
        assert "did you mean 'count'?" in found["help"]
        ran = await client.call_tool("run", {"program": "(defn main [a b] {:sum (+ a b)})", "args": [1, 2]})
        assert (ran.structured_content["status"], ran.structured_content["value"]) == ("complete", {"sum": 3})
        assert json.loads(ran.content[0].text) == ran.structured_content
        named = await client.call_tool("run", {"program": "(defn f [] [1 :a])", "entry": "f"})
        assert named.structured_content["text"] == "[1 :a]"
        where = await client.call_tool("explain", {"program": '(defn pay [x] "own") (pay "ten")'})
        (site,) = where.structured_content["sites"]
        assert site["name"] == "pay"
        code = await client.call_tool("explain", {"code": "E0203"})
        assert code.structured_content["title"] == "unknown symbol"
        doc = await client.call_tool("doc", {"name": "map"})
        assert doc.structured_content["entries"][0]["name"] == "map"
        listed = await client.call_tool("doc", {})
        assert "map" in listed.structured_content["families"]["higher-order"]
        pack = await client.call_tool("prompt", {"max_tokens": 1300})
        assert pack.structured_content["prompt"].startswith("RTFS is a small, pure Lisp")

    asked(work, mode=mode)


def test_resources(asked):
    async def work(client):
        uris = [str(each.uri) for each in (await client.list_resources()).resources]
        texts = [(await client.read_resource(uri)).contents[0].text for uri in uris]
        with pytest.raises(MCPError, match="no such resource"):
            await client.read_resource("rtfs://../../etc/passwd")
        return uris, texts

    uris, texts = asked(work)
    assert uris == ["rtfs://prompt", "rtfs://doc"]
    assert "RTFS is a small, pure Lisp" in texts[0]
    assert "map" in json.loads(texts[1])["higher-order"]


BAD = {
    "no tool": ("nothing", {}, "E0910"),
    "no text": ("run", {"program": 3}, "E0910"),
    "missing": ("run", {}, "E0910"),
    "another field": ("check", {"program": "1", "grant": ["*"]}, "E0910"),
    "no list": ("run", {"program": "1", "args": "x"}, "E0910"),
    "many": ("run", {"program": "1", "args": [1] * 101}, "E0910"),
    "both": ("explain", {"program": "1", "code": "E0203"}, "E0910"),
    "neither": ("explain", {}, "E0910"),
    "no code": ("explain", {"code": "E9999"}, "E0910"),
    "no name": ("doc", {"name": "\x1b[2J"}, "E0910"),
    "refused": ("run", {"program": "(cont 1)"}, "E0203"),
    "broken": ("run", {"program": "(((("}, "E0101"),
    "fails": ("run", {"program": "(/ 1 0)"}, "E0504"),
    "no entry": ("run", {"program": "1", "entry": "main"}, "E0501"),
    "denied": ("run", {"program": '(call :fs.read "/etc/passwd")'}, "E0710"),
    "endless": ("run", {"program": "(loop [] (recur))"}, "E0520"),
    "no id": ("resume", {"run": "../../x"}, "E0910"),
    "no run": ("resume", {"run": "0" * 32}, "E0950"),
    "too large": ("run", {"program": "1" + " " * 300_000}, "E0946"),
    "lone surrogate": ("run", {"program": '(str "\\ud800")'}, "E0106"),
    "short": ("prompt", {"max_tokens": 100}, "E0910"),
}


def test_what_fails_is_a_tool_error_with_a_code(asked):
    async def work(client):
        return {name: await client.call_tool(tool, args) for name, (tool, args, _) in BAD.items()}

    found = asked(work, more="[limits]\nsteps = 100000\n")
    assert {name: codes(each)[0] for name, each in found.items()} == {name: code for name, (*_, code) in BAD.items()}
    assert all(each.is_error for each in found.values())
    assert "Traceback" not in str(found)


def test_an_answer_may_be_too_large(asked):
    async def work(client):
        return await client.call_tool("run", {"program": "(range 2000)"})

    found = asked(work, more='[mcp]\nanswer = "1 KiB"\n')
    assert codes(found) == ["E0946"]
    assert "let the program give less" in str(found.structured_content)


def test_the_time_is_bounded(asked):
    async def work(client):
        return await client.call_tool("run", {"program": "(loop [] (recur))"})

    found = asked(work, more='[mcp]\nseconds = "300 ms"\n[limits]\nsteps = "off"\n')
    assert codes(found) == ["E0944"]


def test_what_checks_a_program_ends_with_its_time(asked, monkeypatch):
    """Its thread, too: not its words alone."""
    ended = threading.Event()

    def endless(self, source):
        try:
            while True:
                meter().look()
        except LimitError:
            ended.set()
            raise

    monkeypatch.setattr(Session, "examine", endless)

    async def work(client):
        return await client.call_tool("check", {"program": "1"})

    assert codes(asked(work, more='[mcp]\nseconds = "300 ms"\n'))[0] == "E0944"
    assert ended.wait(20)


def test_an_answer_tells_no_more_findings_than_one_can_read(asked):
    async def work(client):
        return await client.call_tool("check", {"program": "(a b) " * 150})

    found = asked(work).structured_content
    assert found["accepted"] is False
    assert len(found["diagnostics"]) <= 100
    assert (len(found["about"]["calls"]), found["about"]["counts"]["calls"]) == (100, 300)


def test_a_bug_of_ours_shows_no_traceback(asked, home, monkeypatch):
    async def broken(self, asked):
        raise RuntimeError("the inside of it")

    monkeypatch.setattr(Working, "doc", broken)

    async def work(client):
        return await client.call_tool("doc", {})

    found = asked(work)
    assert codes(found) == ["E0999"]
    assert "the inside" not in str(found)
    (crash,) = (home / "home").rglob("crash-*.txt")
    assert "the inside of it" in crash.read_text()


def test_progress_is_told(asked):
    told = []

    async def hear(progress, total, message):
        told.append((progress, message))

    async def work(client):
        await client.call_tool("run", {"program": "(+ 1 2)"}, progress_callback=hear)

    asked(work)
    assert told[0] == (0.0, "0 s")


def test_who_cancels_ends_the_run(asked, capsys):
    def status():
        capsys.readouterr()
        assert run_here(["runs", "list", "--json"]) == 0
        return [each["status"] for each in json.loads(capsys.readouterr().out)["runs"]]

    async def work(client):
        begun = asyncio.Event()

        async def hear(_progress, _total, _message):
            if await asyncio.to_thread(status):
                begun.set()

        program = {"program": '(host/sleep "0s") (loop [] (recur))'}
        task = asyncio.create_task(client.call_tool("run", program, progress_callback=hear))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asked(work, more='[limits]\nsteps = "off"\n')
    assert status() == ["interrupted"]


@pytest.mark.slow
def test_who_cancels_what_is_gone_on_with_ends_it_and_it_can_be_gone_on_with_again(asked, home, capsys):
    """A run without end is cancelled, gone on with, cancelled, and gone on with; what went on would keep us waiting."""
    program = {"program": '(do (host/sleep "1 ms") (loop [] (recur)))'}
    journal = home / "home" / "journal.sqlite"

    def rows(what):
        if not journal.exists():
            return []
        with closing(sqlite3.connect(journal)) as db, suppress(sqlite3.OperationalError):  # it is just being made
            return [body for (body,) in db.execute("SELECT body FROM log WHERE what = ?", (what,))]
        return []

    def listed():
        assert run_here(["runs", "list", "--json"]) == 0
        return json.loads(capsys.readouterr().out)["runs"][0]["id"]

    async def until(what, count):
        for _ in range(1000):
            found = await asyncio.to_thread(rows, what)
            if len(found) == count:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"there are not {count} rows of {what}")

    async def cancelled(call):
        task = asyncio.create_task(call)
        await asyncio.sleep(1.2)  # it has slept, and loops
        assert not task.done(), task.result()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def work(client):
        await cancelled(client.call_tool("run", program))
        await until("end", 1)
        run = await asyncio.to_thread(listed)
        for count in (1, 2):
            await cancelled(client.call_tool("resume", {"run": run}))
            await until("end", count + 1)

    asked(work, more='[limits]\nsteps = "off"\n')
    assert [json.loads(each)["status"] for each in rows("end")] == ["interrupted"] * 3


CLIENTS = """
[mcp.clients.desk]
level = "pure"
[mcp.clients.lab]
grant = ["host.sleep"]
marks = ["internal"]
approve = false
"""


@pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo", "rtfs-capability-standard")
@pytest.mark.parametrize(
    ("host", "table", "denied"),
    [
        ('grant = ["*"]', "", []),
        ('grant = ["*"]', 'level = "pure"', ["host/sleep", "println", "current-time"]),
        ('grant = ["*"]', "grant = []", ["println", "current-time"]),
        ('grant = ["*"]', 'level = "full"\ngrant = ["ccos.io.println"]', ["current-time"]),
        ('level = "full"', 'grant = ["ccos.io.println"]', ["current-time"]),
        ('level = "full"', 'level = "full"\ngrant = ["ccos.io.println"]', ["current-time"]),
        ('level = "full"', 'level = "full"', []),
        ('level = "full"', 'deny = ["host.sleep"]', ["host/sleep"]),
    ],
)
def test_a_client_may_do_less_than_the_host(asked, host, table, denied):
    calls = {
        "host/sleep": '(host/sleep "0s")',
        "println": '(println "x")',
        "current-time": "(call :ccos.system.current-time)",
    }

    async def work(client):
        return {name: await client.call_tool("run", {"program": text}) for name, text in calls.items()}

    rules = f"[mcp.clients.desk]\n{table}\n"
    found = asked(work, client="desk", more=rules, host=host)
    assert [name for name, each in found.items() if each.is_error] == denied
    assert {codes(found[name])[0] for name in denied} <= {"E0710"}


MARKED = """
[labels]
marks = ["internal", "secret"]
[labels.capabilities]
"host.sleep" = ["secret"]
[labels.accepts]
"capability host.sleep" = ["internal", "secret"]
"""


@pytest.mark.parametrize(
    ("client", "program", "more", "code"),
    [
        ("lab", "(+ 1 2)", "", None),
        ("lab", '(do (host/sleep "0s") 1)', "", "E0989"),
        ("lab", '(do (host/sleep "0s") (throw "told"))', "", "E0989"),
        ("lab", '(do (host/sleep "0s") 1)', '"mcp lab" = ["secret"]\n', None),
        ("lab", '(do (host/sleep "0s") (throw "told"))', '"mcp lab" = ["secret"]\n', "E0512"),
    ],
    ids=["its own", "marked", "an error", "accepted", "an accepted error"],
)
def test_a_client_is_told_what_it_may_see(asked, client, program, more, code):
    async def work(found):
        return await found.call_tool("run", {"program": program})

    found = asked(work, client=client, more=CLIENTS + MARKED + more)
    if code is None:
        assert found.structured_content["labels"] == sorted({"internal"} | ({"secret"} if more else set()))
    else:
        assert codes(found)[0] == code
        assert ("told" in str(found)) == (code == "E0512")

"""`rtfs mcp` in processes of its own: the standard streams and HTTP, and what hostile peers send."""

from __future__ import annotations

import asyncio
import json
import subprocess

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

from rtfs_framework.cli.main import run as run_here
from rtfs_framework.cli.mcp.clients import Clients
from rtfs_framework.cli.mcp.server import Front
from rtfs_framework.cli.mcp.serving import HOST, serve_http
from rtfs_framework.cli.mcp.unread import answer_to
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.server.auth import digest_of
from rtfs_framework.server.sockets import listen

pytestmark = pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo")


def test_the_standard_streams(start, home):
    async def whole():
        async with Client(StdioServerParameters(**start("--client", "desk"))) as client:
            assert len((await client.list_tools()).tools) == 6
            ran = await client.call_tool("run", {"program": "(defn main [a] (* 2 a))", "args": [21]})
            denied = await client.call_tool("run", {"program": '(host/sleep "0s")'})
            return ran.structured_content["value"], denied.structured_content["errors"][0]["code"]

    own = home / "own.toml"
    own.write_text(f'{own.read_text()}[mcp.clients.desk]\nlevel = "pure"\n', encoding="utf-8")
    assert asyncio.run(asyncio.wait_for(whole(), 60)) == (42, "E0710")


def test_stdout_is_the_protocols_alone(start):
    """Lines that are no messages are answered or passed over; nothing but messages is ever written, and it goes on."""
    hostile = [
        b"\x1b[2J\xff\xfe",
        b"[]",
        b"nul",
        b'{"jsonrpc": "2.0"}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "x/y"}',
    ]
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    calls = [
        {"id": 2, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 3, "method": "tools/call", "params": {"name": "run", "arguments": {"program": "(+ 1 2)"}}},
        {"id": 4, "method": "tools/call", "params": {"name": "run", "arguments": "no object"}},
        {"id": 5, "method": "tools/call", "params": {"name": "check", "arguments": {"program": "(" * 60_000}}},
        {"id": 6, "method": "tools/call", "params": {"name": "check", "arguments": {"program": "\ud800"}}},
    ]
    lines = [*hostile, *(json.dumps({"jsonrpc": "2.0", **each}).encode() for each in calls)]
    how = start()
    child = subprocess.Popen(
        [how["command"], *how["args"]],
        env=how["env"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with child:
        child.stdin.write(b"\n".join(lines) + b"\n")
        child.stdin.flush()
        found = {}
        while not {3, 4, 5, 6} <= set(found):
            message = json.loads(child.stdout.readline())
            assert message["jsonrpc"] == "2.0"
            found[message.get("id")] = message
        child.stdin.close()
        assert child.stdout.read() == b""
        assert b"Traceback" not in child.stderr.read()
        assert child.wait(30) == 0
    assert found[3]["result"]["structuredContent"]["value"] == 3
    assert found[4]["error"]["code"] == -32602
    assert found[6]["error"]["code"] == -32700
    assert found[5]["result"]["structuredContent"]["accepted"] is False


@pytest.mark.needs("rtfs-provider-openai")
def test_a_key_that_is_set_is_no_word_about_the_programs_of_agents(tmp_path, monkeypatch):
    found = []

    async def serve(clients, client, listen):
        listen(Front(clients, lambda _: client))
        found.append(clients.session(client).host.config.found)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setattr("rtfs_framework.cli.mcp.serving.serve_streams", serve)
    with Session.open() as own:
        assert own.host.config.found is not None
    assert run_here(["mcp"]) == 0
    assert found == [None]


def line(id_, program='"x"', args="[]"):
    """Return a request as it is sent, whatever its parts are."""
    run = f'{{"name": "run", "arguments": {{"program": {program}, "args": {args}}}}}'
    return f'{{"jsonrpc": "2.0", "id": {id_}, "method": "tools/call", "params": {run}}}'


HALF, DEEP = '"\\ud800"', "[" * 900 + "]" * 900
UNREAD = [
    (line(4, HALF), 4, -32700),
    (line('"a\\"b\\ud83d\\ude00"', HALF), 'a"b\U0001f600', -32700),
    (line(6, args=DEEP), 6, -32700),
    (line(7, args="[" * 100_000), 7, -32700),
    (line(8, program='"\\"id\\": 9, \\\\"', args=DEEP), 8, -32700),
    (line(HALF), None, -32700),
    (line(10)[:-1] + ",}", 10, -32700),
    (line(11, '"unended'), 11, -32700),
    ("nothing", None, -32700),
    ('{"jsonrpc": "2.0", "id": 12, "result": ' + HALF + "}", None, -32700),
    ('{"jsonrpc": "1.0", "id": 13, "method": "ping"}', 13, -32600),
    ("[]", None, -32600),
    ('{"jsonrpc": "2.0", "method": "notifications/x", "params": ' + HALF + "}", "silent", 0),
    ("", "silent", 0),
]


@pytest.mark.parametrize(("text", "id_", "code"), UNREAD, ids=[str(n) for n in range(len(UNREAD))])
def test_a_line_that_the_sdk_cannot_read_has_an_answer(text, id_, code):
    with pytest.raises(ValidationError) as unread:
        jsonrpc_message_adapter.validate_json(text, by_name=False)
    found = answer_to(unread.value)
    if id_ == "silent":
        assert found is None
    else:
        assert (found.id, found.error.code) == (id_, code)
        json.loads(found.model_dump_json())


def test_a_line_without_end_is_looked_at_once():
    with pytest.raises(ValidationError) as unread:
        jsonrpc_message_adapter.validate_json('"' + '\\"' * 300_000, by_name=False)
    assert answer_to(unread.value).id is None  # quadratic, it would take minutes


TOKENS = {"a": "a" * 43, "b": "b" * 43}
TABLES = "".join(
    f'[mcp.clients.{name}]\nsha256 = "{digest_of(token)}"\nlevel = "{level}"\n'
    for (name, token), level in zip(TOKENS.items(), ("controlled", "pure"), strict=True)
)
JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


def served(work):
    """Run a coroutine function with the address of a server that listens in this process."""

    async def whole():
        with Session.open(config_path="own.toml") as session:
            bounds = session.host.config.mcp
            address, listener = asyncio.get_running_loop().create_future(), listen(HOST, 0)
            clients = Clients(lambda _: session, bounds)
            serving = asyncio.create_task(
                serve_http(clients, bounds.clients, listener, address.set_result, lambda _: None)
            )
            try:
                return await work(await address)
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)
                listener.close()

    return asyncio.run(asyncio.wait_for(whole(), 60))


@pytest.fixture
def rules(home):
    config = home / "own.toml"
    config.write_text(config.read_text() + TABLES, encoding="utf-8")


def bearer(name):
    return {"Authorization": f"Bearer {TOKENS[name]}"}


def test_each_token_has_its_rules(rules):
    async def work(url):
        found = {}
        for name in TOKENS:
            async with (
                httpx2.AsyncClient(headers=bearer(name)) as http,
                Client(streamable_http_client(url, http_client=http)) as client,
            ):
                ran = await client.call_tool("run", {"program": '(host/sleep "0s")'})
                found[name] = ran.is_error
        return found

    assert served(work) == {"a": False, "b": True}


HOSTILE = {
    "no token": ({"json": {}}, {"Authorization": ""}, 401),
    "another token": ({"json": {}}, {"Authorization": "Bearer x"}, 401),
    "another scheme": ({"json": {}}, {"Authorization": f"Basic {TOKENS['a']}"}, 401),
    "a long token": ({"json": {}}, {"Authorization": "Bearer " + "a" * 5_000}, 401),
    "another host": ({"json": {}}, {"Host": "evil.example"}, 421),
    "a page elsewhere": ({"json": {}}, {"Origin": "https://evil.example"}, 403),
    "too large": ({"json": {"x": "y" * 400_000}}, {}, 413),
    "no JSON": ({"content": b"{\xff"}, {}, 400),
    "half a character": ({"content": b'{"jsonrpc": "2.0", "id": 1, "method": "\\ud800"}'}, {}, 400),
    "lists without end": ({"content": b"[" * 100_000}, {}, 400),
}


def test_http_lets_in_who_has_a_token_and_nobody_else(rules):
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    first = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    later = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}

    async def work(url):
        async with httpx2.AsyncClient(headers={**JSON, **bearer("a")}) as http:
            found = {name: await http.post(url, **how, headers=headers) for name, (how, headers, _) in HOSTILE.items()}
            begun = await http.post(url, json=first)
            own = {"Mcp-Session-Id": begun.headers["mcp-session-id"], "Mcp-Protocol-Version": "2025-11-25"}
            taken = await http.post(url, json=later, headers={**own, **bearer("b")})
            mine = await http.post(url, json=later, headers=own)
        return found, begun.status_code, taken.status_code, mine.status_code

    found, *others = served(work)
    assert {name: each.status_code for name, each in found.items()} == {n: code for n, (*_, code) in HOSTILE.items()}
    assert found["no token"].json()["error"]["code"] == "E0988"
    assert others == [200, 404, 200]


def test_command_lines(home, capsys, monkeypatch):
    def said(*args):
        capsys.readouterr()
        return run_here(["mcp", "--config", "own.toml", *args]), capsys.readouterr().err

    code, err = said("--client", "nobody")
    assert (code, "error[E0988]" in err, "[mcp.clients.nobody]" in err) == (2, True, True)
    assert said("--client", "x", "--http")[0] == 2
    monkeypatch.setattr("rtfs_framework.cli.commands.mcp.find_spec", lambda name: None if name == "mcp" else name)
    code, err = said()
    assert (code, "error[E0987]" in err, "pip install 'rtfs-framework[mcp]'" in err) == (2, True, True)


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ('sha256 = "x"', "E0705"),
        ('marks = ["nothing"]', "E0706"),
        ('tenant = "a\\u0000b"', "E0706"),
        ('level = "all"', "E0705"),
        ("rights = 1", "E0702"),
        (f'sha256 = "{"a" * 64}"\n[mcp.clients.y]\nsha256 = "{"a" * 64}"', "E0705"),
    ],
    ids=["digest", "mark", "tenant", "level", "key", "twice"],
)
def test_mistakes_in_the_configuration(home, capsys, table, code):
    (home / "bad.toml").write_text(f"[mcp.clients.x]\n{table}\n", encoding="utf-8")
    assert run_here(["config", "check", "bad.toml"]) == 1
    said = capsys.readouterr()
    assert f"error[{code}]" in said.out + said.err

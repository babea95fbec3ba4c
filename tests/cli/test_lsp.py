"""`rtfs lsp` as an editor sees it: a process of its own, the real protocol over its standard streams."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from rtfs_framework.cli.main import run

WAIT = 30


class Editor:
    """A language client: sends requests, keeps notifications."""

    def __init__(self, folder: Path, *args: str) -> None:
        command = [sys.executable, "-c", "from rtfs_framework.cli.main import main; main()", "lsp", *args]
        env = {**os.environ, "RTFS_HOME": str(folder / "home")}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder, env=env)
        self.arrived: queue.Queue = queue.Queue()
        self.count = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while header := self.process.stdout.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                header = self.process.stdout.readline()
            self.arrived.put(json.loads(self.process.stdout.read(length)))

    def send(self, **message) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def tell(self, method: str, params) -> None:
        self.send(method=method, params=params)

    def ask(self, method: str, params):
        self.count += 1
        self.send(id=self.count, method=method, params=params)
        while True:
            message = self.arrived.get(timeout=WAIT)
            if message.get("id") == self.count and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def wait(self, method: str):
        while True:
            message = self.arrived.get(timeout=WAIT)
            if message.get("method") == method:
                return message["params"]
            assert "E0999" not in str(message.get("params")), message

    def open(self, path: Path, text: str):
        """Open a text; return what is wrong with it."""
        item = {"uri": path.as_uri(), "languageId": "rtfs", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": item})
        return self.wait("textDocument/publishDiagnostics")["diagnostics"]

    def change(self, path: Path, text: str):
        change = {"textDocument": {"uri": path.as_uri(), "version": 2}, "contentChanges": [{"text": text}]}
        self.tell("textDocument/didChange", change)
        return self.wait("textDocument/publishDiagnostics")["diagnostics"]

    def at(self, what: str, path: Path, text: str, marker: str, *, after: bool = False):
        """Ask at the beginning (or the end) of a marker in the text."""
        offset = text.index(marker) + (len(marker) if after else 0)
        before = text[:offset]
        character = len(before.rpartition("\n")[2].encode("utf-16-le")) // 2
        where = {"line": before.count("\n"), "character": character}
        return self.ask(f"textDocument/{what}", {"textDocument": {"uri": path.as_uri()}, "position": where})

    def close(self) -> int:
        self.ask("shutdown", None)
        self.tell("exit", None)
        code = self.process.wait(WAIT)
        self.process.stdin.close()
        return code


@contextmanager
def started(folder):
    pytest.importorskip("pygls")
    made = Editor(folder)
    made.ready = made.ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}})
    made.tell("initialized", {})
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    for stream in (made.process.stdin, made.process.stdout, made.process.stderr):
        stream.close()


@pytest.fixture
def editor(tmp_path):
    with started(tmp_path) as made:
        yield made


def test_a_mistake_has_its_code_its_place_in_utf_16_and_a_way_out(editor, tmp_path):
    text = '(def smile "😀") (str smile (reduec + [1]))\n(let [x] x)\n'
    found = editor.open(tmp_path / "a.rtfs", text)
    by_code = {each["code"]: each for each in found}
    assert set(by_code) == {"E0203", "E0201"}
    unknown = by_code["E0203"]
    assert unknown["range"]["start"] == {"line": 0, "character": 29}
    assert unknown["range"]["end"] == {"line": 0, "character": 35}
    assert "did you mean 'reduce'" in unknown["message"]
    assert unknown["severity"] == 1
    assert unknown["source"] == "rtfs"
    assert "E0203: " in editor.at("hover", tmp_path / "a.rtfs", text, "reduec")["contents"]["value"]
    assert editor.close() == 0


def test_a_change_is_analyzed_again(editor, tmp_path):
    path = tmp_path / "a.rtfs"
    assert editor.open(path, "(+ 1 2") != []
    assert editor.change(path, "(+ 1 2)") == []


TEXT = """(import tools :as t)
(defn ^:delegation :remote "large" feel
  "How a customer feels."
  [message : string] : [:enum "good" "bad"]
  (if (t/angry? message) "bad" "good"))
(defmacro twice [form] `(do ~form ~form))
(defn main [texts]
  (let [first-text (first texts)
        {:keys [limit]} {:limit 3}]
    (twice (feel first-text))
    (loop [i 0] (if (< i limit) (recur (inc i)) i))))
"""
TOOLS = """(module tools (:exports [angry?])
  (defn angry? "Loud." [text] (string-contains? text "!")))
"""


class Opened:
    """One editor with a text that is only asked about."""

    def __init__(self, editor, folder):
        self.editor, self.folder = editor, folder
        (folder / "tools.rtfs").write_text(TOOLS, encoding="utf-8")
        editor.open(folder / "main.rtfs", TEXT)

    def __call__(self, what, marker, **more):
        return self.editor.at(what, self.folder / "main.rtfs", TEXT, marker, **more)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("opened")
    with started(folder) as made:
        yield Opened(made, folder)


@pytest.mark.parametrize(
    ("marker", "shown"),
    [
        ("first texts", "(first collection)"),
        ("let [", "(let [pattern value ...] body...)"),
        ("feel first-text", "(feel message : :string) : [:enum"),
        ("feel first-text", "How a customer feels."),
        ("feel first-text", 'delegated: the remote provider "large"'),
        ("t/angry?", "Loud."),
        ("twice (feel", "macro"),
        ("limit) (recur", "*local*, bound in line 9"),
        ("first-text))", "*local*, bound in line 8"),
        ("0] (if", None),
    ],
)
def test_hover_tells_what_is_known_of_a_name(opened, marker, shown):
    found = opened("hover", marker)
    assert found is None if shown is None else shown in found["contents"]["value"]


@pytest.mark.parametrize(
    ("marker", "file", "start"),
    [
        ("first-text))", "main.rtfs", (7, 8)),
        ("limit) (recur", "main.rtfs", (8, 16)),
        ("i)) i", "main.rtfs", (10, 11)),
        ("message) ", "main.rtfs", (3, 3)),
        ("feel first-text", "main.rtfs", (1, 35)),
        ("twice (feel", "main.rtfs", (5, 10)),
        ("t/angry?", "tools.rtfs", (1, 8)),
        ("tools :as", "tools.rtfs", (0, 8)),
    ],
)
def test_definitions_of_locals_top_level_names_and_modules_are_found(opened, marker, file, start):
    found = opened("definition", marker)
    assert found["uri"] == (opened.folder / file).as_uri()
    assert (found["range"]["start"]["line"], found["range"]["start"]["character"]) == start


def test_a_name_of_the_language_has_no_definition(opened):
    assert opened("definition", "first texts") is None


def test_completion_offers_what_is_near_first_and_explains_it(opened):
    items = opened("completion", "(twice (feel first-text))", after=True)["items"]
    labels = [item["label"] for item in items]
    assert {"first-text", "limit", "feel", "main", "twice", "t/angry?", "let", "->", "map", "reduce"} <= set(labels)
    assert labels.index("first-text") < labels.index("feel") < labels.index("map")
    chosen = items[labels.index("reduce")]
    assert "(reduce" in opened.editor.ask("completionItem/resolve", chosen)["documentation"]["value"]
    chosen = items[labels.index("feel")]
    assert "How a customer feels." in opened.editor.ask("completionItem/resolve", chosen)["documentation"]["value"]


def test_nothing_is_completed_inside_a_string(opened):
    assert opened("completion", "How a cust", after=True)["items"] == []


def test_completion_and_hover_survive_an_open_bracket(editor, tmp_path):
    path = tmp_path / "a.rtfs"
    editor.open(path, "(defn area [w h] (* w h))\n")
    text = "(defn area [w h] (* w h))\n(are"
    assert editor.change(path, text)[0]["code"] == "E0101"
    labels = [item["label"] for item in editor.at("completion", path, text, "\n(are", after=True)["items"]]
    assert "area" in labels
    assert "(area w h)" in editor.at("hover", path, text, "area")["contents"]["value"]


def test_symbols_are_the_definitions(opened):
    editor, folder = opened.editor, opened.folder
    document = {"textDocument": {"uri": (folder / "main.rtfs").as_uri()}}
    found = editor.ask("textDocument/documentSymbol", document)
    assert [each["name"] for each in found] == ["feel", "twice", "main"]
    editor.open(folder / "tools.rtfs", TOOLS)
    document = {"textDocument": {"uri": (folder / "tools.rtfs").as_uri()}}
    [module] = editor.ask("textDocument/documentSymbol", document)
    assert (module["name"], [each["name"] for each in module["children"]]) == ("tools", ["angry?"])


def test_formatting_is_that_of_rtfs_fmt(editor, tmp_path):
    path = tmp_path / "a.rtfs"
    text = "(defn f [x]\n(inc   x))  ; keep\n"
    editor.open(path, text)
    question = {"textDocument": {"uri": path.as_uri()}, "options": {"tabSize": 2, "insertSpaces": True}}
    [edit] = editor.ask("textDocument/formatting", question)
    start, end = edit["range"]["start"], edit["range"]["end"]
    lines = text.splitlines(keepends=True)
    place = [sum(map(len, lines[: at["line"]])) + at["character"] for at in (start, end)]
    assert text[: place[0]] + edit["newText"] + text[place[1] :] == "(defn f [x]\n  (inc x)) ; keep\n"


def test_a_text_that_cannot_be_read_is_not_formatted(editor, tmp_path):
    path = tmp_path / "a.rtfs"
    editor.open(path, "(inc   1")
    question = {"textDocument": {"uri": path.as_uri()}, "options": {"tabSize": 2, "insertSpaces": True}}
    assert editor.ask("textDocument/formatting", question) is None


def test_a_mistake_in_an_imported_module_points_there(editor, tmp_path):
    (tmp_path / "tools.rtfs").write_text("(module tools (:exports [a])\n  (defn a [x)))\n", encoding="utf-8")
    [found] = editor.open(tmp_path / "a.rtfs", "(import tools)\n(tools/a 1)\n")[:1]
    assert found["message"].startswith("tools.rtfs: ")
    assert found["relatedInformation"][0]["location"]["uri"] == (tmp_path / "tools.rtfs").as_uri()


def test_names_of_the_configured_host_are_no_mistakes(editor, tmp_path):
    values = '[security.context]\nregion = "eu"\n'
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / "delegation.toml").write_text(values, encoding="utf-8")
    assert editor.open(tmp_path / "a.rtfs", "(str region)") == []


def test_a_configuration_that_nobody_trusts_is_told_and_gives_no_names_until_it_is_trusted(
    editor, tmp_path, monkeypatch
):
    (tmp_path / "delegation.toml").write_text('[security.context]\nregion = "eu"\n', encoding="utf-8")
    item = {"uri": (tmp_path / "a.rtfs").as_uri(), "languageId": "rtfs", "version": 1, "text": "(str region)"}
    editor.tell("textDocument/didOpen", {"textDocument": item})
    assert "is not trusted; ignored in it: security.context.region" in editor.wait("window/showMessage")["message"]
    assert editor.wait("textDocument/publishDiagnostics")["diagnostics"][0]["code"] == "E0203"
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    assert run(["config", "trust", str(tmp_path)]) == 0
    assert editor.open(tmp_path / "b.rtfs", "(str region)") == []


def test_a_broken_configuration_is_told_and_the_rest_works(editor, tmp_path):
    (tmp_path / "delegation.toml").write_text("[delegatoin]\n", encoding="utf-8")
    item = {"uri": (tmp_path / "a.rtfs").as_uri(), "languageId": "rtfs", "version": 1, "text": "(foo 1)"}
    editor.tell("textDocument/didOpen", {"textDocument": item})
    assert "delegatoin" in editor.wait("window/showMessage")["message"]
    assert editor.wait("textDocument/publishDiagnostics")["diagnostics"][0]["code"] == "E0203"


def test_a_macro_that_never_ends_does_not_silence_the_server(editor, tmp_path):
    text = "(defmacro spin [] (loop [i 0] (recur (inc i))))\n(spin)\n"
    item = {"uri": (tmp_path / "a.rtfs").as_uri(), "languageId": "rtfs", "version": 1, "text": text}
    editor.tell("textDocument/didOpen", {"textDocument": item})
    path = tmp_path / "b.rtfs"
    item = {"uri": path.as_uri(), "languageId": "rtfs", "version": 1, "text": "(inc   1)"}
    editor.tell("textDocument/didOpen", {"textDocument": item})
    question = {"textDocument": {"uri": path.as_uri()}, "options": {"tabSize": 2, "insertSpaces": True}}
    assert len(editor.ask("textDocument/formatting", question)) == 1


def test_without_pygls_the_command_says_what_to_install(folder, capsys, monkeypatch):
    monkeypatch.setattr("rtfs_framework.cli.commands.lsp.find_spec", lambda _name: None)
    assert run(["lsp"]) == 2
    assert "pip install 'rtfs-framework[lsp]'" in capsys.readouterr().err


def test_a_configuration_that_is_not_there_is_refused(folder, capsys):
    assert run(["lsp", "--config", "nowhere.toml"]) == 2
    assert "E0901" in capsys.readouterr().err


def test_help_has_examples(rtfs):
    assert "rtfs lsp --tcp 2087" in rtfs("lsp", "--help").out


def test_a_client_may_connect_to_a_port_on_loopback(folder):
    pytest.importorskip("pygls")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from rtfs_framework.cli.main import main; main()", "lsp", "--tcp", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=folder) as server:
        assert f"127.0.0.1:{port}" in server.stderr.readline().decode()
        deadline = time.monotonic() + WAIT
        while True:
            try:
                client = socket.create_connection(("127.0.0.1", port), timeout=WAIT)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        params = {"processId": None, "rootUri": None, "capabilities": {}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()
        with client:
            client.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            assert b"Content-Length" in client.recv(65536)
        server.kill()

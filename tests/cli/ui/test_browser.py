"""Every page in a real browser: what it looks like to axe-core, that no hostile text does anything, keys, and no error.

In the env `wheel` alone, which brings playwright, and where Debian's Chromium is. Pictures are kept in `UI_SHOTS`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from rtfs_framework.api.queue import QueueItem
from rtfs_framework.cli.queues import queue_of
from rtfs_framework.lang.printer import write
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.performing.approvals.store import ApprovalStore

BROWSER = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
RTFS = (sys.executable, "-c", "from rtfs_framework.cli.main import main; main()")
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7 * 7 }} \u202eevil\u200b \x1b[31m"
CALL = f"(call :acme.read {write(EVIL)})"
pytestmark = [
    pytest.mark.skipif(not find_spec("playwright"), reason="needs playwright: only the env wheel has it"),
    pytest.mark.skipif(not BROWSER.exists(), reason="needs Debian's Chromium (apt-get install chromium)"),
]
PROGRAM = '(defn main [] (pmap (fn [x] (try (call :acme.read x) (catch _ e "no"))) [1 2]))'
PAGES = ("/runs", "/runs/last", "/diff?a=last&b=last", "/approvals", "/tickets", "/caches", "/state", "/editor")


@pytest.fixture(scope="module")
def chromium():
    """One browser for all tests of this file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=str(BROWSER), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder whose journal has a hostile run, one with branches, and ten thousand more that cost nothing to make."""
    folder = tmp_path_factory.mktemp("ui")
    (folder / "evil<i>.rtfs").write_text(f"(defn main [] (try {CALL} (catch _ e (throw {write(EVIL)}))))", "utf-8")
    (folder / "two.rtfs").write_text(PROGRAM, encoding="utf-8")
    for name, code in (("two.rtfs", 0), ("evil<i>.rtfs", 1)):
        assert subprocess.run([*RTFS, "run", name], cwd=folder, env=_environ(folder), check=False).returncode == code
    return folder


def _environ(folder):
    return {**os.environ, "RTFS_HOME": str(folder / "home"), "RTFS_JOURNAL__KEEP": '"replies"'}


@pytest.fixture(scope="module")
def ui(home, chromium):
    """The server, and the cookie of somebody who opened its link."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    child = subprocess.Popen([*RTFS, "ui", "--port", "0", "--json"], cwd=home, env=_environ(home), **pipes)
    try:
        told = json.loads(child.stdout.readline())
        context = chromium.new_context()
        page = context.new_page()
        page.goto(told["url"])
        assert page.url == f"{told['origin']}/runs"
        assert "token" not in page.evaluate("document.documentElement.outerHTML + location + document.referrer")
        assert page.evaluate("document.cookie") == ""
        yield SimpleNamespace(origin=told["origin"], cookies=context.cookies())
        context.close()
    finally:
        child.terminate()
        child.communicate(timeout=30)


@pytest.fixture
def browse(chromium):
    """Return a function that opens an address, and see that nothing was wrong on any page that was opened."""
    wrong, contexts = [], []

    def start(url, *, cookies=(), expected="nothing", **more):
        context = chromium.new_context(viewport={"width": 1240, "height": 760}, **more)
        contexts.append(context)
        if cookies:
            context.add_cookies(cookies)
        page = context.new_page()

        def said(message):
            if message.type in {"error", "warning"} and expected not in message.text:
                wrong.append(message.text)

        def sent(request):
            if not request.url.startswith((url[:17], "file:", "data:")):
                wrong.append(request.url)

        page.on("console", said)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on("request", sent)
        page.goto(url)
        return page

    yield start
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def open_page(browse, ui):
    """Return a function that opens one of the server's pages for who was let in."""

    def start(path, **more):
        return browse(f"{ui.origin}{path}", cookies=ui.cookies, **more)

    return start


@pytest.fixture
def kept():
    """Return a function that keeps a picture where pictures are wanted."""
    folder = os.environ.get("UI_SHOTS")

    def keep(page, name):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{name}.png")

    return keep


def complaints(page, *rules):
    """Return what axe-core finds wrong with a page, by all its rules (WCAG 2.2 AA and best practice) or by some."""
    import axe_playwright_python

    script = Path(axe_playwright_python.__file__).parent / "axe.min.js"
    page.evaluate(script.read_text(encoding="utf-8"))
    only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
    found = page.evaluate("only => axe.run(only)", only)["violations"]
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found]


def test_every_page_is_usable_and_harmless(ui, open_page, kept):
    page = open_page("/runs/last")
    call = page.locator("tbody a").first.get_attribute("href")
    for path in (*PAGES, call):
        page.emulate_media(color_scheme="light")
        page.goto(ui.origin + path)
        assert complaints(page) == [], path
        assert page.evaluate("document.images.length + document.querySelectorAll('main script').length") == 0, path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        name = path.strip("/").split("?")[0].replace("/", "-")[:20]
        kept(page, f"light-{name}")
        page.emulate_media(color_scheme="dark")
        kept(page, f"dark-{name}")
        if path in {"/runs", "/approvals", call}:  # between them they have all colours
            assert complaints(page, "color-contrast") == [], path
    assert "{{ 7 * 7 }} \\u202eevil\\u200b" in page.inner_text("main")


def test_a_narrow_window_scrolls_no_page_sideways(ui, open_page, kept):
    page = open_page("/runs")
    page.set_viewport_size({"width": 390, "height": 760})
    for path in ("/runs", "/runs/last", "/editor", "/state"):
        page.goto(ui.origin + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    kept(page, "narrow")


def test_the_editor_says_what_is_wrong_without_a_new_page(open_page, kept):
    page = open_page("/editor")
    page.fill("#text", "(defn f [x]\n  (nope x))")
    page.evaluate("window.same = true")
    page.click("button[value=check]")
    page.wait_for_selector("#result .note")
    assert page.evaluate("window.same")
    assert page.get_attribute("#result", "aria-live") == "polite"
    note = page.inner_text("#result .note")
    assert "^^^^" in note
    assert "line 2, column 4" in note
    assert complaints(page) == []
    kept(page, "editor-checked")
    page.fill("#text", PROGRAM)
    page.click("button[value=run]")
    page.wait_for_selector("#result a")
    assert page.inner_text("#result .value") == '["no" "no"]'
    page.click("#result a")
    page.wait_for_url("**/runs/*")
    assert "fan-out 0, branch 1" in page.inner_text("main")


def test_it_works_without_scripts(open_page):
    page = open_page("/editor", java_script_enabled=False)
    page.fill("#text", "(+ 1 2)")
    page.click("button[value=run]")
    assert page.inner_text("#result .value") == "3"
    assert page.input_value("#text") == "(+ 1 2)"


def test_it_works_by_keyboard(open_page):
    page = open_page("/runs")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('tbody a')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    assert page.title().startswith("Run ")


def test_a_call_is_denied_by_a_click(open_page, home):
    store = ApprovalStore(home / "home", SystemClock())
    fields = {"run": "r" * 32, "call": "1:0", "symbol": "pay", "target": "remote big", "approver": EVIL}
    asked = store.ask(600.0, **fields, args_digest="d", args_text=EVIL, policy="p", tenant="")
    page = open_page("/approvals")
    assert complaints(page) == []
    page.click("button[value=no]")
    page.wait_for_selector("[role=status] .good")
    assert store.get(asked.id).state == "no"


@pytest.mark.needs("rtfs-queue-sqlite")
def test_a_ticket_is_cancelled_and_tried_again_by_keyboard(open_page, home, monkeypatch, kept):
    monkeypatch.setenv("RTFS_HOME", str(home / "home"))
    with queue_of(None) as (queue, _, _):
        queue.put(QueueItem(id=f"run/{EVIL[:40]}", topic="tickets", payload=b"{}", tenant="acme"))
    page = open_page("/tickets")
    assert complaints(page) == []
    for word, state in (("Cancel", "cancelled"), ("Retry", "queued")):
        page.get_by_role("button", name=word).focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(f"[role=status] :text('is {state} now')")
        assert complaints(page) == []
    kept(page, "tickets")


def test_another_site_gets_nothing(ui, open_page, tmp_path):
    page = open_page("/runs", expected="status of 403")
    other = tmp_path / "other.html"
    other.write_text(f'<form method="post" action="{ui.origin}/editor"><input name="action" value="run"></form>')
    page.goto(other.as_uri())
    with page.expect_navigation():
        page.evaluate("document.forms[0].submit()")
    assert "nobody is let in" in page.inner_text("main")


def test_a_report_opens_from_a_file(home, browse, kept):
    subprocess.run([*RTFS, "report", "--out", "run.html"], cwd=home, env=_environ(home), check=True)
    page = browse((home / "run.html").as_uri())
    assert complaints(page) == []
    assert page.locator("svg.plot").count() >= 3
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px"  # its own style counts
    kept(page, "report")
    page.emulate_media(color_scheme="dark")
    assert complaints(page, "color-contrast") == []


def test_ten_thousand_runs_are_a_page_as_small_as_fifty(open_page, home):
    db = sqlite3.connect(home / "home" / "journal.sqlite")
    (body,) = db.execute("SELECT body FROM log WHERE what = 'run' LIMIT 1").fetchone()
    (top,) = db.execute("SELECT max(position) FROM log").fetchone()
    rows = ((top + n, top + n, "run", None, None, f"{n:032x}", body, b"") for n in range(1, 10_001))
    db.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    db.commit()
    db.close()
    page = open_page("/runs")
    assert page.locator("tbody tr").count() == 50
    assert ",00" in page.inner_text(".head")
    assert len(page.content()) < 60_000
    page.click("a[rel=next]")
    page.wait_for_url("**before=*")
    assert page.locator("tbody tr").count() == 50

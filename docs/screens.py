"""Take the pictures of docs/ui.md: `python docs/screens.py [FOLDER]`. It needs Debian's Chromium and playwright.

In: nothing; a home of its own is filled by running programs against a server on loopback. Out: a few PNGs in
docs/images/, or those of all pages in FOLDER. Nothing of the machine's own home is read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from rtfs_framework.testing.openai_server import Fail, OpenAIServer, Received, say_json

ROOT = Path(__file__).parents[1]
BROWSER = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
CHOSEN = ("run", "call", "editor")
"""The pages of which the docs have pictures; of a named folder all are taken."""
START = "from rtfs_framework.cli.main import main; main()"
PROGRAM = """(defn summary
  "One sentence about a customer's message."
  [text : :string] : :string
  (str "A message of " (count text) " characters."))

(defn translate
  "The text in English."
  [text : :string] : :string
  text)

(defn refund
  "Whether the customer gets the money back."
  [order : :string] : [:enum "yes" "no"]
  "no")

(defn handle [order]
  (let [seen (summary (str "Order " order " came broken, and late."))]
    {:order order :summary seen :english (translate seen)}))

(defn main []
  {:handled (pmap handle ["4711" "4712" "4711" "4713"]) :refund (refund "4711")})
"""
CONFIG = """[delegation]
engine = "static"

[delegation.remote_providers.house]
provider = "openai"
endpoint = "{url}"
model = "house-large"
input_cost = 2.5
output_cost = 10.0

[delegation.remote_providers.spare]
provider = "openai"
endpoint = "{broken}"
model = "spare-small"
input_cost = 0.4
output_cost = 1.6

[[engines.static.rules]]
symbols = "summary"
to = ["remote-spare", "remote-house"]

[[engines.static.rules]]
symbols = "translate"
to = "remote-house"

[[engines.static.rules]]
symbols = "refund"
to = "remote-house"
ask = "{ask}"

[budgets.daily]
usd = 5.0

[approvals]
timeout = "20 min"
"""
FAULTY = """(defn shout [text : :string] : :string
  (upper-case text))

(defn main [name]
  (shout (+ name 1))
  (shuot name))
"""


def rtfs(home: Path, *args: str) -> subprocess.Popen[str]:
    """Start a command in a home of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", START, *args],
        cwd=home,
        env={**os.environ, "RTFS_HOME": str(home / "home"), "RTFS_TRUST": "1", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def filled(home: Path) -> list[subprocess.Popen[str]]:
    """Fill a home with runs, of which the last one waits for a person; return what still runs."""
    (home / "orders.rtfs").write_text(PROGRAM, encoding="utf-8")
    (home / "triage").mkdir()
    for file in (ROOT / "examples/triage").iterdir():
        (home / "triage" / file.name).write_bytes(file.read_bytes())
    table = rtfs(home, "run", "triage/triage.rtfs", "--input", "triage/messages.jsonl", "--limit", "8")
    table.communicate()
    for _ in range(2):
        rtfs(home, "run", "orders.rtfs", "--config", "quick.toml").communicate()
    waiting = rtfs(home, "run", "orders.rtfs", "--config", "asking.toml")
    for line in waiting.stderr or ():
        if "rtfs approve yes" in line:
            break
    return [waiting]


@contextmanager
def page_of(home: Path, *, dark: bool = False) -> Iterator[Page]:
    """Serve a home, and open a browser at it."""
    server = rtfs(home, "ui", "--port", "0", "--json", "--config", "asking.toml")
    assert server.stdout is not None
    url = json.loads(server.stdout.readline())["url"]
    try:
        with sync_playwright() as tool:
            browser = tool.chromium.launch(executable_path=BROWSER, args=FLAGS)
            page = browser.new_page(viewport={"width": 1120, "height": 660}, color_scheme="dark" if dark else "light")
            page.goto(url)
            yield page
            browser.close()
    finally:
        server.terminate()
        server.communicate()


def shots(page: Page, home: Path, folder: Path, *, every: bool) -> None:
    """Take the pictures."""

    def shot(name: str) -> None:
        if every or name in CHOSEN:
            page.screenshot(path=folder / f"{name}.png")

    shot("runs")
    page.click("tbody a >> nth=1")
    shot("run")
    first = page.url.rsplit("/", 1)[1]
    page.click("a:has-text('summary') >> nth=0")
    page.wait_for_load_state()
    shot("call")
    page.goto(page.url.split("/runs")[0] + "/approvals")
    shot("approvals")
    for name in ("caches", "state", "tickets"):
        page.goto(page.url.rsplit("/", 1)[0] + f"/{name}")
        shot(name)
    page.goto(page.url.rsplit("/", 1)[0] + f"/diff?a=last&b={first}")
    shot("diff")
    page.goto(page.url.rsplit("/diff", 1)[0] + "/editor")
    page.fill("#text", FAULTY)
    page.click("button[value=check]")
    page.wait_for_selector("#result section")
    shot("editor")
    made = rtfs(home, "report", first, "--out", "report.html")
    made.communicate()
    page.goto((home / "report.html").as_uri())
    page.screenshot(path=folder / "report.png", full_page=True, clip={"x": 0, "y": 0, "width": 1120, "height": 860})


def _answer(request: Received) -> object:
    """Answer as a patient clerk does."""
    return say_json({"value": "yes" if "money back" in request.prompt else "The order came broken, and late."})


def main() -> None:
    """Fill a home and take the pictures."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "docs/images"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        OpenAIServer(then=_answer) as house,
        OpenAIServer(then=Fail(503)) as spare,
    ):
        home = Path(scratch)
        config = CONFIG.replace("{url}", house.url).replace("{broken}", spare.url)
        (home / "asking.toml").write_text(config.replace("{ask}", "the shop's manager"), encoding="utf-8")
        (home / "quick.toml").write_text(config.replace('ask = "{ask}"\n', ""), encoding="utf-8")
        running = filled(home)
        try:
            with page_of(home) as page:
                shots(page, home, folder, every=bool(sys.argv[1:]))
            if sys.argv[1:]:
                with page_of(home, dark=True) as page:
                    page.click("tbody a >> nth=1")
                    page.screenshot(path=folder / "run-dark.png")
        finally:
            for each in running:
                each.terminate()
                each.communicate()


if __name__ == "__main__":
    main()

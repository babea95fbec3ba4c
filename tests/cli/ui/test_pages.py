"""The pages: what is on them, that texts of others stay texts, and what is said of what is not there or broken."""

from __future__ import annotations

import re
import sqlite3
from html.parser import HTMLParser

import pytest

from rtfs_framework.api.queue import QueueItem
from rtfs_framework.cli.queues import queue_of
from rtfs_framework.cli.ui.past import RUNS, differences
from rtfs_framework.cli.ui.shown import MOST, environment

VOID = {"meta", "link", "input", "img", "br", "hr"}


class Checked(HTMLParser):
    """A page read back: its elements, and what is wrong with how they nest."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.wrong = [], [], []
        self.feed(text)
        self.wrong += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")

    def all(self, *tags):
        return [attrs for tag, attrs in self.elements if tag in tags]


def is_harmless(text):
    """Tell whether a page has no element, attribute or character that a hostile text would have put there."""
    page = Checked(text)
    scripts = [attrs.get("src") for attrs in page.all("script")]
    inline = [name for _, attrs in page.elements for name in attrs if name.startswith("on") or name == "style"]
    unseen = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", text)
    return not page.wrong and scripts in ([], ["/static/htmx.min.js"]) and not (inline or page.all("img") or unseen)


def calls_of(text):
    return re.findall(r'href="(/runs/[^"]*/call\?[^"]*)"', text)


def test_texts_of_others_stay_texts(hostile, served):
    made = served()
    run = made.ask("/runs/last").text
    (call,) = calls_of(run)
    for path in ("/runs", "/runs/last", call, "/diff?a=last&b=last", "/runs/last/report"):
        text = made.ask(path).text
        assert is_harmless(text), path
        assert "evil&lt;i&gt;.rtfs" in text or "acme.read" in text, path
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in run
    assert "&lt;img src=x onerror=alert(2)&gt; {{ 7 * 7 }}" in made.ask(call.replace("&amp;", "&")).text
    assert "\\u202eevil\\u200b" in run


def test_what_is_asked_for_comes_back_as_text(hostile, served, evil):
    made = served()
    for name in ("source", "search", "symbol", "since", "before"):
        answer = made.ask(f"/runs?{name}={_quoted(evil)}")
        assert is_harmless(answer.text), name
        assert answer.status_code == (400 if name == "since" else 200), name


def _quoted(text):
    from urllib.parse import quote

    return quote(text)


def test_what_is_not_there_is_said_so(hostile, served, evil):
    made = served()
    for path in ("/runs/{}", "/runs/{}/call?id=x", "/runs/last/call?id={}", "/diff?a={0}&b={0}"):
        answer = made.ask(path.format(_quoted(evil.replace("/", ""))))
        assert answer.status_code == 404, path
        assert "E0720" in answer.text, path
        assert is_harmless(answer.text), path


def test_a_value_is_cut_and_its_characters_are_seen():
    template = environment().from_string("{{ a }}|{{ b }}|{{ b|whole }}|{{ c }}")
    found = template.render(a="<" * (MOST + 7), b="a\u202eb\x1b<", c=None)
    shown, seen, whole, nothing = found.split("|")
    assert shown == "&lt;" * MOST + "… (7 more characters)"
    assert seen == "a\\u202eb\\u001b&lt;"
    assert whole == "a\u202eb\x1b&lt;"
    assert nothing == ""


def test_amounts_of_budgets_have_no_idle_zeros():
    template = environment().from_string("{{ a|amount('usd') }} {{ b|amount('usd') }} {{ c|amount('tokens') }}")
    assert template.render(a="4.999620000", b="5.000000000", c=12_000) == "$4.99962 $5.00 12,000"


def test_budgets_are_shown_with_what_is_left(served, folder):
    (folder / "own.toml").write_text("[budgets.daily]\nusd = 5.0\ntokens = 12000\n", encoding="utf-8")
    text = served(config="own.toml").ask("/state").text
    assert ">daily</th>" in text
    assert text.count(">$5.00</td>") == 2
    assert text.count(">12,000</td>") == 2
    assert 'aria-label="0 % used"' in text


@pytest.mark.needs("rtfs-provider-rules", "rtfs-cache-l2")
def test_hit_rates_are_those_of_the_journal(served, rtfs, folder):
    (folder / "messages.jsonl").write_text('{"text": "Thank you!"}\n{"text": "Thank you!"}\n', encoding="utf-8")
    assert rtfs("run", "feeling.rtfs", "--input", "messages.jsonl", "--concurrency", 1).code == 0
    made = served()
    text = made.ask("/caches").text
    assert 'aria-label="hit rate 50 %"' in text
    assert 'scope="row">l2</th>' in text
    run = made.ask("/runs/last").text
    assert run.count("record 1<") == run.count("record 2<") == 1
    call = made.ask(calls_of(run)[1].replace("&amp;", "&")).text
    assert "l2 hit" in call
    assert "the author&#39;s hint" in call
    assert "Footprint" in call
    assert "local-model sentiment" in call
    other = made.ask("/diff?a=last&b=last").text
    assert "0 differences, 2 equal calls" in other


@pytest.mark.needs("rtfs-queue-sqlite")
def test_tickets_are_listed(served, folder):
    with queue_of(None) as (queue, _, _):
        queue.put(QueueItem(id="3f1c/1:0", topic="tickets", payload=b"{}", tenant="acme"))
    text = served().ask("/tickets").text
    assert "3f1c/1:0" in text
    assert "1 queued" in text
    assert is_harmless(text)


@pytest.fixture
def tickets(folder):
    """Return a function from an id to the state of its ticket; one is queued, one cancelled, one done."""
    with queue_of(None) as (queue, _, _):
        for name in ("run/1:0", "run/1:1", "run/1:10", "run/<b>&1"):
            queue.put(QueueItem(id=name, topic="tickets", payload=b"{}", tenant="acme"))
        queue.put(QueueItem(id="another", topic="runs", payload=b"{}"))
        queue.cancel("run/1:1")

    def state(id_):
        with queue_of(None) as (queue, _, _):
            return queue.get(id_).state

    return state


@pytest.mark.needs("rtfs-queue-sqlite")
def test_a_ticket_is_cancelled_and_tried_again(served, tickets):
    made = served()
    for id_ in ("run/1:0", "run/<b>&1"):
        assert tickets(id_) == "queued"
        for action, state in (("cancel", "cancelled"), ("retry", "queued"), ("retry", "queued")):
            answer = made.post("/tickets", action=action, id=id_)
            assert (answer.status_code, tickets(id_)) == (303, state)
            page = made.ask(answer.headers["location"]).text
            assert f"is {state} now" in page
            assert is_harmless(page)
    page = Checked(made.ask("/tickets").text)
    assert sorted(each["aria-label"] for each in page.all("button")) == [
        "Cancel the ticket run/1:0", "Cancel the ticket run/1:10", "Cancel the ticket run/<b>&1",
        "Retry the ticket run/1:1",
    ]  # fmt: skip


@pytest.mark.needs("rtfs-queue-sqlite")
def test_a_ticket_is_changed_by_its_whole_id_and_from_a_page_of_ours_alone(served, tickets):
    made = served()
    for id_, action, status in (("run/1:", "cancel", 422), ("", "cancel", 422), ("another", "cancel", 422),
                                ("run/1:0", "erase", 400), ("run/1:0", "", 400)):  # fmt: skip
        assert made.post("/tickets", action=action, id=id_).status_code == status, (id_, action)
    forged = ({"csrf": "wrong"}, {"csrf": ""}, {"headers": {"origin": "http://evil.example"}}, {"cookie": "wrong"})
    for each in forged:
        assert made.post("/tickets", action="cancel", id="run/1:0", **each).status_code == 403, each
    reader = served(read_only=True)
    assert reader.post("/tickets", action="cancel", id="run/1:0").status_code == 403
    assert Checked(reader.ask("/tickets").text).all("form") == []
    assert (tickets("run/1:0"), tickets("run/1:10"), tickets("another")) == ("queued",) * 3


def test_a_run_is_a_tree(hostile, served):
    text = served().ask("/runs?source=two.rtfs").text
    (href,) = re.findall(r'href="(/runs/[0-9a-f]{32})"', text)
    page = served().ask(href).text
    assert [title for title in ("fan-out 0, branch 0", "fan-out 0, branch 1") if title in page] == [
        "fan-out 0, branch 0",
        "fan-out 0, branch 1",
    ]
    assert len(calls_of(page)) == 2
    assert "UnknownCapability" in page
    call = served().ask(calls_of(page)[0].replace("&amp;", "&")).text
    assert "Nothing was decided" in call
    assert '<pre tabindex="0">[1]</pre>' in call


def test_runs_are_filtered_and_paged(served, rtfs, folder):
    (folder / "ask.rtfs").write_text('(defn main [x] (try (call :acme.read x) (catch _ e "no")))', encoding="utf-8")
    rtfs("run", "ask.rtfs", "x")
    _copy_runs(folder / "home" / "journal.sqlite", RUNS + 4)
    made = served()
    first = made.ask("/runs").text
    assert first.count('<th scope="row">') == RUNS
    assert f"{RUNS + 5} runs in" in first
    (older,) = re.findall(r'rel="next" href="([^"]*)"', first)
    second = made.ask(older.replace("&amp;", "&")).text
    assert second.count('<th scope="row">') == 5
    assert 'rel="next"' not in second
    ids = re.findall(r'href="/runs/([0-9a-f]{32})"', first + second)
    assert len(set(ids)) == len(ids) == RUNS + 5
    assert "No run is like that." in made.ask("/runs?status=failed").text
    assert made.ask("/runs?status=complete&symbol=acme.*&since=1h").text.count('<th scope="row">') == 1


def _copy_runs(path, count):
    """Write runs as the first one, without its calls: who reads them does not prove them."""
    db = sqlite3.connect(path)
    (body,) = db.execute("SELECT body FROM log WHERE what = 'run'").fetchone()
    (top,) = db.execute("SELECT max(position) FROM log").fetchone()
    rows = [(top + n, top + n, "run", None, None, f"{n:032x}", body, b"") for n in range(1, count + 1)]
    db.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    db.commit()
    db.close()


def test_without_a_journal_it_says_so(served):
    made = served()
    assert "there is no journal" in made.ask("/runs").text
    assert made.ask("/runs/last").status_code == 404
    for path in ("/caches", "/state", "/approvals", "/diff", "/editor"):
        answer = made.ask(path)
        assert answer.status_code == 200, (path, answer.text)
        assert is_harmless(answer.text), path


@pytest.mark.needs("rtfs-queue-sqlite")
def test_without_a_journal_tickets_are_those_of_the_queue(served):
    answer = served().ask("/tickets")
    assert (answer.status_code, is_harmless(answer.text)) == (200, True)


def test_a_broken_journal_is_a_page_with_a_way_out(served, folder):
    (folder / "home").mkdir()
    (folder / "home" / "journal.sqlite").write_bytes(b"no journal at all" * 100)
    made = served()
    for path in ("/runs", "/runs/last", "/runs/last/report", "/diff?a=last&b=last", "/caches"):
        answer = made.ask(path)
        assert answer.status_code == 404, path
        assert "E0720" in answer.text, path
        assert 'class="help"' in answer.text, path


def test_a_faulty_configuration_is_a_page_with_its_place(served, folder):
    (folder / "own.toml").write_text("", encoding="utf-8")
    made = served(config="own.toml")
    assert made.ask("/state").status_code == 200
    (folder / "own.toml").write_text("[delegation]\nengin = 1\n", encoding="utf-8")
    answer = made.ask("/state")
    assert answer.status_code == 422
    assert "line 2, column 1" in answer.text
    assert "engine" in answer.text


def test_what_breaks_is_an_internal_error_and_no_trace(served, monkeypatch):
    made = served()
    monkeypatch.setattr("rtfs_framework.cli.ui.now.approvals_page", lambda: 1 / 0)
    answer = made.ask("/approvals")
    assert answer.status_code == 500
    assert "E0999" in answer.text
    assert "Traceback" not in answer.text


PAGES = ("/runs", "/runs/last", "/diff?a=last&b=last", "/caches", "/state", "/tickets", "/approvals", "/editor")


def test_pages_can_be_used_without_a_mouse_or_eyes(hostile, served):
    made = served()
    for path in PAGES:
        page = Checked(made.ask(path).text)
        assert page.all("html") == [{"lang": "en"}], path
        assert len(page.all("h1")) == len(page.all("main")) == 1, path
        assert page.all("a")[0] == {"class": "skip", "href": "#main"}, path
        assert all(each.get("aria-label") for each in page.all("nav")), path
        labels = {each["for"] for each in page.all("label")}
        fields = [each for each in page.all("input", "select", "textarea") if each.get("type") != "hidden"]
        assert all(each["id"] in labels for each in fields), path
        assert all("scope" in each for each in page.all("th")), path
        assert len(page.all("caption")) == len(page.all("table")), path
        ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
        assert len(ids) == len(set(ids)), path


def test_differences_are_by_call():
    same = {"symbol": "f", "target": "local-pure", "outcome": "value"}
    left = {"0:0": same, "0:1": same, "0:2": same}
    right = {"0:0": same, "0:1": {**same, "target": "remote big"}, "0:3": same}
    found = [(each["name"], each["what"], each.get("fields")) for each in differences(left, right)]
    assert found == [("0:1", "changed", ["target"]), ("0:2", "removed", None), ("0:3", "added", None)]

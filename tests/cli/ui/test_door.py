"""Who is let in: the link that works once, the cookie, hosts and origins, and what a read-only link cannot do."""

from __future__ import annotations

import httpx
import pytest

from rtfs_framework.cli.ui.app import HEADERS, MOST_BODY
from rtfs_framework.cli.ui.door import Door, RefusedError

PAGES = ("/runs", "/runs/last", "/diff", "/caches", "/state", "/tickets", "/approvals", "/editor")


def test_the_link_works_once_and_another_is_told():
    told = []
    door = Door(1, used=told.append)
    first = door.link
    token = first.partition("token=")[2]
    visitor = door.enter(token)
    assert door.known(visitor.cookie) is visitor
    assert told == [door.link]
    assert door.link != first
    for wrong in (token, "", "x", token + "x", "\u00e9"):
        with pytest.raises(RefusedError) as refused:
            door.enter(wrong)
        assert refused.value.status == 403
    assert door.enter(told[0].partition("token=")[2]) is not visitor


def test_the_link_is_exchanged_for_a_cookie_that_no_script_or_other_site_has(served):
    made = served()
    answer = made.ask(f"/?token={made.door.link.partition('token=')[2]}", cookie="")
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/"))
    assert made.ask("/").headers["location"] == "/runs"
    assert made.ask("/?token=wrong").status_code == 403


def test_only_who_opens_the_link_uses_it_up(served):
    """A preview looks at an address before anybody opens it."""
    made = served()
    link = f"/?token={made.door.link.partition('token=')[2]}"
    answer = made.ask(link, method="HEAD", cookie="")
    assert (answer.status_code, "set-cookie" in answer.headers) == (405, False)
    assert made.ask(link, cookie="").status_code == 303


def test_nobody_sees_a_page_without_the_cookie(served):
    made = served()
    for path in PAGES:
        answer = made.ask(path, cookie="wrong")
        assert answer.status_code == 403, path
        assert "nobody is let in without the link" in answer.text, path


def test_a_name_that_points_here_is_no_way_in(served):
    made = served()
    for host in ("evil.example:8643", "127.0.0.1", "127.0.0.1:80", "", "localhost.evil:8643"):
        for path in ("/", "/runs", "/editor"):
            assert made.ask(path, headers={"host": host}).status_code == 421, (host, path)


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({"origin": "http://evil.example"}, {}),
        ({"origin": "null"}, {}),
        ({"origin": ""}, {}),
        ({"origin": "https://127.0.0.1:8643"}, {}),
        ({"origin": "http://127.0.0.1:80"}, {}),
        ({}, {"csrf": ""}),
        ({}, {"csrf": "wrong"}),
    ],
    ids=["elsewhere", "null", "none", "https", "port", "no secret", "wrong secret"],
)
def test_a_form_of_another_page_does_nothing(served, headers, form):
    answer = served().ask("/editor", method="POST", headers=headers, action="check", text="(+ 1 2)", **form)
    assert answer.status_code == 403
    assert "does not come from a page of this server" in answer.text


def test_another_name_of_this_machine_is_its_own_origin(served):
    names = {"host": "localhost:8643", "origin": "http://localhost:8643"}
    assert served().ask("/editor", method="POST", headers=names, action="check", text="1").status_code == 200


def test_a_read_only_link_runs_and_answers_nothing(served):
    made = served(read_only=True)
    assert made.post("/editor", action="check", text="(+ 1 2)").status_code == 200
    for path, form in (("/editor", {"action": "run", "text": "(+ 1 2)"}), ("/approvals/x", {"answer": "yes"})):
        answer = made.post(path, **form)
        assert answer.status_code == 403
        assert "this page is read-only" in answer.text
    page = made.ask("/editor").text
    assert 'value="run"' not in page
    assert "read-only" in page


def test_what_is_sent_is_bounded(served):
    assert served().post("/editor", action="check", text="x" * (MOST_BODY + 1)).status_code == 413


def test_every_answer_has_the_strict_headers(served):
    made = served()
    for path in ("/runs", "/nowhere", "/static/app.css", "/static/nothing", "/runs/none"):
        answer = made.ask(path)
        for name in HEADERS.keys() - {"cache-control"}:
            assert answer.headers[name] == HEADERS[name], path
    policy = HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_what_is_no_page_is_said_so(served):
    made = served()
    assert made.ask("/nowhere").status_code == 404
    assert made.ask("/static/../app.py").status_code == 404
    assert made.ask("/editor", method="PUT").status_code in {404, 405}
    assert made.post("/editor", action="erase", text="").status_code == 400
    assert made.post("/approvals/x", answer="maybe").status_code == 400
    assert isinstance(made.ask("/runs"), httpx.Response)

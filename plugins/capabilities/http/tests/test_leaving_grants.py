"""Attempts to leave a grant: each is refused, and no server but the granted one sees anything of it."""

from __future__ import annotations

import pytest

from rtfs_framework.api import CapabilityError, Keyword, Map

ALL = ("*", "*:{GOOD}", "*:{EVIL}", "*:{BESIDE}")
"""Hosts of a grant that names none: then only the addresses stand in the way."""


def _map(**entries):
    return Map.of(
        (Keyword(name), Map.of(value.items()) if isinstance(value, dict) else value) for name, value in entries.items()
    )


def _refused(web, perform, *, sees=0, kinds=("SecurityViolation",)):
    """See that a call is refused by its grant, with nothing sent but `sees` requests to the granted server."""
    with pytest.raises(CapabilityError) as caught:
        perform()
    assert caught.value.kind in kinds, str(caught.value)
    assert web.untouched
    assert len(web.good.seen) == sees
    return str(caught.value)


ELSEWHERE = [
    "http://evil.example:{EVIL}/",
    "http://good.example:{BESIDE}/",
    "http://good.example:{EVIL}/",
    "http://127.0.0.1:{GOOD}/",
    "http://127.0.0.1:{BESIDE}/",
    "http://127.0.0.2:{EVIL}/",
    "http://a.good.example:{GOOD}/",
    "http://xgood.example:{GOOD}/",
    "http://good.example.evil.example:{EVIL}/",
    "http://good.example.:{GOOD}/",
    "http://good.example..:{GOOD}/",
    "http://.good.example:{GOOD}/",
    "http://good..example:{GOOD}/",
    "http://good.example:{GOOD}@evil.example:{EVIL}/",
    "http://good.example@evil.example:{EVIL}/",
    "http://evil.example:{EVIL}@good.example:{GOOD}/",
    "http://user@good.example:{GOOD}/",
    "http://user:secret@good.example:{GOOD}/",
    "http://@good.example:{GOOD}/",
    "http://evil.example:{EVIL}#@good.example:{GOOD}/",
    "http://evil.example:{EVIL}?@good.example:{GOOD}/",
    "http://evil.example:{EVIL}/@good.example:{GOOD}/",
    "http://evil.example:{EVIL}\\@good.example:{GOOD}/",
    "http://good.example:{GOOD}\\@evil.example:{EVIL}/",
    "http://good.example:{GOOD}\\.evil.example:{EVIL}/",
    "http:\\\\evil.example:{EVIL}\\",
    "http:/evil.example:{EVIL}/",
    "http:evil.example:{EVIL}",
    "http:///evil.example:{EVIL}/",
    "//evil.example:{EVIL}/",
    "evil.example:{EVIL}",
    "://evil.example:{EVIL}/",
    " http://good.example:{GOOD}/",
    "http:// good.example:{GOOD}/",
    "http://good.example :{GOOD}/",
    "http://good.example:{GOOD}\t/",
    "http://good.exa\nmple:{GOOD}/",
    "ht\ttp://good.example:{GOOD}/",
    "http://good.example:{GOOD}/a\r\nHost: evil.example",
    "http://good.example:{GOOD}/a HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /b",
    "http://good.example:{GOOD}/\x00",
    "http://good.example\x00.evil.example:{EVIL}/",
    "http://good.example%00.evil.example:{EVIL}/",
    "http://good%2eexample:{GOOD}/",
    "http://%65vil.example:{EVIL}/",
    "http://good.example%2f@evil.example:{EVIL}/",
    "http://good\u3002example:{GOOD}/",
    "http://\uff47ood.example:{GOOD}/",
    "http://g\u043e\u043ed.example:{GOOD}/",
    "http://good.example:{GOOD}\u2028/",
    "http://good.example\u00ad:{GOOD}/",
    "http://good.example:0/",
    "http://good.example:65536/",
    "http://good.example:-1/",
    "http://good.example:+{GOOD}/",
    "http://good.example:{GOOD}:{EVIL}/",
    "http://good.example:\uff18\uff10/",
    "http://good.example: {GOOD}/",
    "http://good.example:{GOOD}abc/",
    "http://[good.example]:{GOOD}/",
    "http://[::1]:{EVIL}/",
    "http://[127.0.0.1]:{GOOD}/",
    "http://[fe80::1%25lo]:{EVIL}/",
    "http://-good.example:{GOOD}/",
    "https://good.example:{GOOD}/",
    "ftp://good.example:{GOOD}/",
    "file:///etc/passwd",
    "file://good.example/etc/passwd",
    "gopher://good.example:{GOOD}/_GET",
    "ws://good.example:{GOOD}/",
    "unix:///var/run/docker.sock",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "http://" + "a" * 300 + ".example/",
    "http://good.example:{GOOD}/" + "a" * 9000,
    "",
]


@pytest.mark.parametrize("url", ELSEWHERE, ids=range(len(ELSEWHERE)))
def test_urls_that_are_not_of_a_granted_host(web, url):
    _refused(web, lambda: web.call(web.placed(url)))
    assert web.names.asked == []


LITERALS = [
    "127.0.0.2", "2130706434", "0x7f000002", "0x7f.0.0.2", "0177.0.0.2", "127.2", "127.0.2", "127.0.0.02",
    "127.0.0.0x2",
    "127.0.0.2.", "017700000002", "[::ffff:127.0.0.2]", "[::ffff:7f00:2]", "[::127.0.0.2]", "[64:ff9b::7f00:2]",
    "[64:ff9b:1::7f00:2]", "[2002:7f00:2::1]", "[2001:0:7f00:2::1]", "[::1]", "[::]", "0.0.0.0", "0", "10.0.0.1",
    "169.254.169.254", "100.64.0.1", "192.168.0.1", "172.16.0.1", "224.0.0.1", "255.255.255.255", "[ff02::1]",
    "[fc00::1]", "[fe80::1]", "198.18.0.1", "240.0.0.1", "192.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("literal", LITERALS)
def test_addresses_that_are_not_public(web, literal):
    hosts = (*map(web.placed, ALL), literal) if literal in ("10.0.0.1", "[::1]") else tuple(map(web.placed, ALL))
    _refused(web, lambda: web.call(f"http://{literal}:{web.evil.port}/", web.grant(hosts=hosts)))


ANSWERS = {
    "another address": ["127.0.0.2"],
    "one of two": ["127.0.0.1", "127.0.0.2"],
    "one of three": ["127.0.0.1", "127.0.0.1", "10.0.0.8"],
    "mapped": ["::ffff:127.0.0.2"],
    "mapped, and listed": ["::ffff:127.0.0.1"],
    "translated": ["64:ff9b::7f00:2"],
    "6to4": ["2002:7f00:2::"],
    "nobody": ["0.0.0.0"],
    "nobody of IPv6": ["::"],
    "loopback of IPv6": ["::1"],
    "a link's": ["fe80::1%lo"],
    "a cloud's metadata": ["169.254.169.254"],
    "private": ["192.168.1.1"],
    "no address at all": ["evil.example"],
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_names_that_resolve_to_what_is_not_public(web, answer):
    web.names.answers["good.example"] = [ANSWERS[answer]]
    _refused(web, lambda: web.call(web.placed("http://good.example:{GOOD}/")))
    _refused(web, lambda: web.call(web.placed("http://good.example:{EVIL}/"), web.grant(hosts=(web.placed(ALL[2]),))))


def test_a_name_is_resolved_once_and_its_later_answers_do_not_count(web):
    web.names.answers["good.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    assert web.call(web.placed("http://good.example:{GOOD}/")).get(Keyword("status")) == 200
    assert len(web.names.asked) == 1
    _refused(web, lambda: web.call(web.placed("http://good.example:{GOOD}/")), sees=1)


def test_a_redirect_to_the_same_name_is_resolved_and_checked_anew(web):
    web.names.answers["good.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    web.good.script["/"] = (302, {"Location": "/again"}, b"")
    _refused(web, lambda: web.call(web.placed("http://good.example:{GOOD}/")), sees=1)


LEADS = [
    "http://evil.example:{EVIL}/",
    "//evil.example:{EVIL}/",
    "http://good.example@evil.example:{EVIL}/",
    "//good.example@evil.example:{EVIL}/",
    "http://user:secret@good.example:{GOOD}/",
    "\\\\evil.example:{EVIL}\\",
    "/\\evil.example:{EVIL}/",
    "http:\\\\evil.example:{EVIL}/",
    "http://127.0.0.2:{EVIL}/",
    "http://2130706434:{EVIL}/",
    "http://[::ffff:127.0.0.2]:{EVIL}/",
    "http://good.example:{BESIDE}/",
    "http://good.example.:{BESIDE}/",
    "https://good.example:{GOOD}/",
    "https://evil.example:{EVIL}/",
    "ftp://evil.example:{EVIL}/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:text/plain,hello",
    "http://evil.example:{EVIL}/\t",
    "http://evil.example%00.good.example:{EVIL}/",
    "http://[/",
    "?" + "a" * 9000,
]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", LEADS, ids=range(len(LEADS)))
def test_redirects_to_where_no_grant_leads(web, location, status):
    web.good.script["/"] = (status, {"Location": web.placed(location)}, b"")
    _refused(web, lambda: web.call(web.placed("http://good.example:{GOOD}/")), sees=1)


@pytest.mark.parametrize(
    "location", ["///evil.example:{EVIL}/", "/@evil.example:{EVIL}/", "?u=http://evil.example/", "#x"]
)
def test_redirects_that_only_look_like_another_host_stay_where_they_are(web, location):
    web.good.script["/"] = (302, {"Location": web.placed(location)}, b"")
    steps = {"///evil.example:{EVIL}/": 2, "/@evil.example:{EVIL}/": 2}.get(location, 4)
    try:
        web.call(web.placed("http://good.example:{GOOD}/"))
    except CapabilityError as error:
        assert "leads on more than" in str(error)  # noqa: PT017 - back to the same page, again and again
    assert len(web.good.seen) == steps
    assert web.untouched


def test_redirects_without_an_end(web):
    web.good.script["/"] = (302, {"Location": "/"}, b"")
    words = _refused(web, lambda: web.call(web.placed("http://good.example:{GOOD}/")), sees=4, kinds=("NetworkError",))
    assert "leads on more than 3 times" in words


def test_a_redirect_with_two_places_a_refresh_and_a_choice_are_not_followed(web):
    evil = web.placed("http://evil.example:{EVIL}/")
    web.good.script["/two"] = (302, [("Location", "/a"), ("Location", evil)], b"")
    web.good.script["/refresh"] = (200, {"Refresh": f"0; url={evil}", "Link": f"<{evil}>; rel=preload"}, b"")
    web.good.script["/choice"] = (300, {"Location": evil, "Content-Location": evil, "Alt-Svc": f'h2="{evil}"'}, b"")
    for path, status in (("two", 302), ("refresh", 200), ("choice", 300)):
        reply = web.call(web.placed(f"http://good.example:{{GOOD}}/{path}"))
        assert reply.get(Keyword("status")) == status
    assert web.untouched


def test_what_is_sent_is_never_led_on(web):
    web.good.script["/"] = (307, {"Location": web.placed("http://evil.example:{EVIL}/")}, b"")
    grant = web.grant(methods=("POST",), hosts=tuple(map(web.placed, ALL)), private=("127.0.0.0/8",))
    reply = web.send(_map(url=web.placed("http://good.example:{GOOD}/"), body="x"), grant)
    assert reply.get(Keyword("status")) == 307
    assert web.untouched


METHODS = ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get\r\n", "GET /x HTTP/1.1",
           "GET\r\nHost: evil", "\uff27ET", "", "G\u0131T", "GET,POST", Keyword("delete"), 7]  # fmt: skip


@pytest.mark.parametrize("method", METHODS, ids=range(len(METHODS)))
def test_methods_that_change_something_are_not_fetched(web, method):
    everything = web.grant(methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
    _refused(web, lambda: web.call(_map(url=web.placed("http://good.example:{GOOD}/"), method=method), everything))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET", "HEAD", "TRACE", "CONNECT"])
def test_methods_that_the_grant_does_not_list_are_not_sent(web, method):
    _refused(web, lambda: web.send(_map(url=web.placed("http://good.example:{GOOD}/"), method=method)))


def test_methods_of_one_host_are_not_those_of_another(web):
    both = (web.grant(), web.grant(hosts=(web.placed("other.example:{GOOD}"),), methods=("DELETE",)))
    ask = _map(url=web.placed("http://good.example:{GOOD}/"), method="DELETE")
    assert "`methods`" in _refused(web, lambda: web.send(ask, *both))


HEADERS = [
    "Host", "HOST", "host", "Transfer-Encoding", "transfer_encoding", "Content-Length", "content_length", "Connection",
    "Keep-Alive", "TE", "Trailer", "Upgrade", "Expect", "HTTP2-Settings", "Accept-Encoding", "Content-Encoding", "Via",
    "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate", "X-HTTP-Method-Override", "x_http_method_override",
    "X-HTTP-Method", "X-Method-Override", "X-Forwarded-Host", "X-Forwarded-For", "X_Forwarded_Host", "Forwarded",
    "X-Original-URL", "X-Rewrite-URL", "X-Real-IP", "X-Host", "Sec-WebSocket-Key", "Host ", " Host", "Host:",
    ":authority",
    "A\r\nHost", "A\nB", "A B", "", "\u212aeep-Alive", "X\x00", "X(Y)",
]  # fmt: skip


@pytest.mark.parametrize("name", HEADERS, ids=range(len(HEADERS)))
def test_headers_that_say_the_way_of_a_message_again(web, name):
    ask = _map(url=web.placed("http://good.example:{GOOD}/"), headers={name: "evil.example"})
    _refused(web, lambda: web.call(ask))
    _refused(web, lambda: web.send(ask, web.grant(methods=("POST",))))


VALUES = ["a\r\nHost: evil.example", "a\nX: b", "a\rb", "a\x00", "a\x0bb", "é", "\ud800", " a", "a ", "\ta",
          "a\r\n\r\nGET /b HTTP/1.1\r\nHost: evil.example\r\n\r\n"]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_values_that_are_more_than_one_header(web, value):
    ask = _map(url=web.placed("http://good.example:{GOOD}/"), headers={"X-Note": value})
    _refused(web, lambda: web.call(ask), kinds=("Generic",))


@pytest.mark.parametrize("more", [{"host": "evil.example"}, {"proxy": "http://evil.example"}, {"private": True},
                                  {"redirects": 9}, {"verify": False}, {"target": "http://evil.example/"}],
                         ids=lambda more: next(iter(more)))  # fmt: skip
def test_a_program_cannot_say_what_the_grant_says(web, more):
    _refused(web, lambda: web.call(_map(url=web.placed("http://good.example:{GOOD}/"), **more)), kinds=("Generic",))


def test_a_page_is_not_fetched_with_a_body(web):
    _refused(web, lambda: web.call(_map(url=web.placed("http://good.example:{GOOD}/"), body="x")), kinds=("Generic",))


def test_no_more_is_sent_than_is_granted(web):
    ask = _map(url=web.placed("http://good.example:{GOOD}/"), body="é" * 6)
    assert "`most_sent`" in _refused(web, lambda: web.send(ask, web.grant(methods=("POST",), most_sent=11)))


def test_the_environments_proxy_is_not_asked(web, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.2:{web.evil.port}")
        web.environ[name] = f"http://127.0.0.2:{web.evil.port}"
    assert web.call(web.placed("http://good.example:{GOOD}/")).get(Keyword("body")) == "fine"
    assert web.untouched


def test_no_grant_no_request(web):
    with pytest.raises(CapabilityError, match=r'not granted: https://good\.example; add "good\.example" to `hosts`'):
        web.call("https://good.example/", web.grant(hosts=("other.example",)))
    assert web.names.asked == []

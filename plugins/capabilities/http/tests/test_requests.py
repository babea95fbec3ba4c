"""What is asked and answered: the ordinary ways, secrets, redirects that are allowed, and certificates."""

from __future__ import annotations

import base64
import gzip
import zlib

import pytest

from rtfs_capability_http.plugin import HttpGrant, rtfs_capability_sets
from rtfs_capability_http.urls import read_url
from rtfs_framework.api import CapabilityError, FailureKind, Keyword, Map, write
from rtfs_framework.lang.types.check import violation

TOKEN = "tok-0123456789abcdef"


def _map(**entries):
    return Map.of((Keyword(name), value) for name, value in entries.items())


def _good(web, path=""):
    return f"http://good.example:{web.good.port}/{path}"


def test_a_page_is_fetched_by_its_url_alone_or_by_a_map(web):
    web.good.script["/a"] = (
        200,
        {"Content-Type": "text/plain; charset=iso-8859-1", "X-Twice": "b"},
        "é".encode("latin-1"),
    )
    for argument in (_good(web, "a?q=1"), _map(url=_good(web, "a?q=1"), method="get"), _map(url=_good(web, "a?q=1"))):
        reply = web.call(argument)
        assert violation(web.fetch_entry.returns, reply) is None
        assert (reply.get(Keyword("status")), reply.get(Keyword("body"))) == (200, "é")
        assert reply.get(Keyword("headers")).get("x-twice") == "b"
        assert reply.get(Keyword("url")) == _good(web, "a?q=1")
    (method, path, headers, body), *_ = web.good.seen
    assert (method, path, body) == ("GET", "/a?q=1", b"")
    assert dict(headers)["Host"] == f"good.example:{web.good.port}"


def test_what_is_sent_of_a_url_is_ascii_and_holds_no_fragment(web):
    web.call(_good(web, 'a b/ü?q="x y"&p=%20+[1]#part'))
    assert web.good.seen[0][1] == "/a%20b/%C3%BC?q=%22x%20y%22&p=%20+%5B1%5D"


def test_bytes_that_are_no_text_are_base64(web):
    web.good.script["/a"] = (200, {"Content-Type": "image/png"}, b"\x89PNG\xff")
    web.good.script["/b"] = (200, {"Content-Type": "text/plain; charset=unicode_escape"}, b"\\x41")
    for path, data in (("a", b"\x89PNG\xff"), ("b", b"\\x41")):
        reply = web.call(_good(web, path))
        assert reply.get(Keyword("encoding")) == "base64"
        assert base64.b64decode(reply.get(Keyword("body"))) == data


def test_heads_have_no_body_and_errors_of_servers_are_replies(web):
    web.good.script["/gone"] = (404, {}, b"no such page")
    assert web.call(_map(url=_good(web, "gone"), method="HEAD")).get(Keyword("body")) == ""
    assert write(web.call(_good(web, "gone")).get(Keyword("status"))) == "404"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_is_sent_with_the_key_of_the_call_where_a_server_may_do_it_twice(web, method):
    ask = _map(url=_good(web), method=method, body="é", headers=Map.of([("content-type", "text/plain")]))
    for _ in range(2):
        web.send(ask, web.grant(methods=(method,)), key="run/7")
    first, second = web.good.seen
    assert (first[0], first[3]) == (method, "é".encode())
    keys = [dict(each[2]).get("idempotency-key") for each in (first, second)]
    assert keys[0] == keys[1]
    assert (keys[0] is not None) == (method in ("POST", "PATCH"))
    assert "run" not in (keys[0] or "")


def test_the_flags_say_what_may_be_done_again(web):
    assert web.fetch_entry.idempotent
    assert web.fetch_entry.order_independent
    assert not web.send_entry.idempotent
    assert not web.send_entry.order_independent
    assert not web.fetch_entry.deterministic


def test_a_redirect_to_a_granted_host_is_followed_without_what_was_meant_for_the_first(web):
    web.environ["TOKEN"] = TOKEN
    web.good.script["/"] = (302, {"Location": web.placed("http://evil.example:{EVIL}/there")}, b"")
    web.evil.script["/there"] = (302, {"Location": _good(web, "back")}, b"")
    first = web.grant(headers_env={"Authorization": "TOKEN"})
    other = web.grant(hosts=(f"evil.example:{web.evil.port}",), private=("127.0.0.2",))
    headers = Map.of([("Cookie", "session=1"), ("X-Api-Key", "k"), ("Accept", "text/plain")])
    reply = web.call(_map(url=_good(web), headers=headers), first, other)
    assert reply.get(Keyword("url")) == _good(web, "back")
    start, back = (dict(seen[2]) for seen in web.good.seen)
    (there,) = (dict(seen[2]) for seen in web.evil.seen)
    assert (start["Authorization"], start["cookie"], start["x-api-key"]) == (TOKEN, "session=1", "k")
    for later in (there, back):
        assert {"Authorization", "cookie", "x-api-key"}.isdisjoint(later)
        assert later["accept"] == "text/plain"


def test_redirects_within_a_host_carry_everything_and_none_are_followed_where_none_may_be(web):
    web.environ["TOKEN"] = TOKEN
    web.good.script["/"] = (308, {"Location": "b/../c?d"}, b"")
    web.call(_good(web), web.grant(headers_env={"Authorization": "TOKEN"}))
    assert [(seen[1], dict(seen[2])["Authorization"]) for seen in web.good.seen] == [("/", TOKEN), ("/c?d", TOKEN)]
    reply = web.call(_good(web), web.grant(redirects=0))
    assert reply.get(Keyword("status")) == 308
    assert reply.get(Keyword("headers")).get("location") == "b/../c?d"


def test_a_secret_that_comes_back_is_struck_out(web):
    web.environ["TOKEN"] = TOKEN

    def echo(handler):
        said = handler.headers["Authorization"]
        handler.answer(200, {"X-Said": said}, f"{said} {base64.b64encode(said.encode()).decode()}".encode())

    web.good.script["/"] = echo
    reply = web.call(_good(web), web.grant(headers_env={"Authorization": "TOKEN"}))
    assert dict(web.good.seen[0][2])["Authorization"] == TOKEN
    assert TOKEN not in write(reply)
    assert base64.b64encode(TOKEN.encode()).decode()[:-4] not in write(reply)


@pytest.mark.parametrize("place", [0, 65_520, 65_536, 131_072, 199_000])
def test_a_secret_is_struck_out_of_a_long_page_wherever_it_stands(web, place):
    web.environ["TOKEN"] = TOKEN
    page = "x" * place + TOKEN + "y" * (200_000 - place)
    web.good.script["/"] = (200, {}, page.encode())
    reply = web.call(_good(web), web.grant(headers_env={"Authorization": "TOKEN"}))
    assert reply.get(Keyword("body")) == page.replace(TOKEN, "[secret]")


@pytest.mark.parametrize("value", [None, "", "a\nb", "é"])
def test_a_secret_that_is_not_there_or_cannot_be_sent(web, value):
    if value is not None:
        web.environ["TOKEN"] = value
    with pytest.raises(CapabilityError, match="environment variable TOKEN"):
        web.call(_good(web), web.grant(headers_env={"Authorization": "TOKEN"}))
    assert web.good.seen == []


@pytest.mark.parametrize("name", ["X-API-KEY", "x_api_key", "X-Api_Key"])
@pytest.mark.parametrize("secret", ["X-Api-Key", "x_api_key"])
def test_a_program_cannot_put_its_own_value_over_a_secret(web, secret, name):
    web.environ["TOKEN"] = TOKEN
    ask = _map(url=_good(web), headers=Map.of([(name, "mine")]))
    with pytest.raises(CapabilityError, match="the grant itself adds"):
        web.call(ask, web.grant(headers_env={secret: "TOKEN"}))
    assert web.good.seen == []


@pytest.mark.parametrize("private", [("127.0.0.1",), ("0.0.0.0/0",)], ids=["not listed", "listed, and public"])
def test_a_secret_does_not_go_over_plain_http_to_a_public_address(web, private):
    web.environ["TOKEN"] = TOKEN
    web.names.answers["good.example"] = [["127.0.0.1", "8.8.8.8"]]
    with pytest.raises(CapabilityError, match="over plain http") as caught:
        web.call(_good(web), web.grant(headers_env={"Authorization": "TOKEN"}, private=private))
    assert caught.value.kind == "SecurityViolation"
    assert web.good.seen == []
    assert web.call(_good(web), web.grant(private=private)).get(Keyword("status")) == 200


def test_a_secret_does_not_go_over_plain_http_to_a_proxy(web):
    web.environ.update(TOKEN=TOKEN, http_proxy=f"http://127.0.0.2:{web.evil.port}")
    with pytest.raises(CapabilityError, match="without a proxy"):
        web.call(_good(web), web.grant(headers_env={"Authorization": "TOKEN"}, proxy=True))
    assert web.untouched
    web.environ["no_proxy"] = "good.example"
    web.call(_good(web), web.grant(headers_env={"Authorization": "TOKEN"}, proxy=True))
    assert dict(web.good.seen[0][2])["Authorization"] == TOKEN


@pytest.mark.parametrize("packed", [gzip.compress(b"x" * 5000), zlib.compress(b"x" * 5000)], ids=["gzip", "deflate"])
def test_packed_bodies_are_unpacked(web, packed):
    coding = "gzip" if packed[:2] == b"\x1f\x8b" else "deflate"
    web.good.script["/"] = (200, {"Content-Encoding": coding}, packed)
    assert web.call(_good(web)).get(Keyword("body")) == "x" * 5000


def test_a_proxy_is_asked_where_the_grant_says_so_and_for_the_checked_address(web):
    web.environ["HTTP_PROXY"] = f"http://127.0.0.2:{web.evil.port}"
    web.call(_good(web, "a"), web.grant(proxy=True))
    ((method, target, headers, _),) = web.evil.seen
    assert (method, target) == ("GET", f"http://127.0.0.1:{web.good.port}/a")
    assert dict(headers)["Host"] == f"good.example:{web.good.port}"
    web.environ["HTTP_PROXY"] = "ldap://proxy.example"
    with pytest.raises(CapabilityError, match="HTTP_PROXY names a proxy that cannot be used"):
        web.call(_good(web, "a"), web.grant(proxy=True))


def test_another_address_of_a_name_is_tried_where_one_takes_no_connection(web):
    web.names.answers["good.example"] = [["127.0.0.3", "127.0.0.1"]]
    assert web.call(_good(web), web.grant(private=("127.0.0.0/8",))).get(Keyword("status")) == 200


def test_nobody_there_is_surely_nothing_done(web):
    web.names.answers["good.example"] = [["127.0.0.3"]]
    for url in (_good(web), f"http://unknown.example:{web.good.port}/"):
        hosts = (f"good.example:{web.good.port}", f"unknown.example:{web.good.port}")
        with pytest.raises(CapabilityError) as caught:
            web.call(url, web.grant(hosts=hosts, private=("127.0.0.0/8",)))
        assert (caught.value.kind, caught.value.failure) == ("NetworkError", FailureKind.SAFE)


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("api.example.com", ["https://api.example.com/", "https://API.example.com:443/x"],
         ["https://api.example.com:8443/", "https://x.api.example.com/", "https://example.com/"]),
        ("*.example.com:8443", ["https://a.example.com:8443/", "https://a.b.example.com:8443/"],
         ["https://example.com:8443/", "https://aexample.com:8443/", "https://a.example.com/"]),
        ("*", ["https://a.example/", "http://a.example/"], ["https://a.example:444/", "http://a.example:443/"]),
        ("[2606:4700::1]", ["https://[2606:4700:0::1]/"], ["https://[2606:4700::2]/"]),
    ],
    ids=["exact", "below", "all", "address"],
)  # fmt: skip
def test_what_a_pattern_of_hosts_means(pattern, fits, fails):
    from rtfs_capability_http.granted import read_pattern

    read = read_pattern(pattern)
    assert [read.fits(read_url(url).origin) for url in (*fits, *fails)] == [True] * len(fits) + [False] * len(fails)


@pytest.mark.parametrize(
    "own",
    [
        {"hosts": ()}, {"hosts": ("",)}, {"hosts": ("https://a.example",)}, {"hosts": ("a.example/x",)},
        {"hosts": ("a.*.example",)}, {"hosts": ("a.example:0",)}, {"hosts": ("a.example:x",)}, {"hosts": ("a@b",)},
        {"hosts": ("::1",)}, {"hosts": ("a.example.",)}, {"hosts": ("ä.example",)}, {"hosts": ("*.",)},
        {"private": ("10.0.0.1/8",)}, {"private": ("here",)}, {"methods": ()}, {"schemes": ()},
        {"most_bytes": 0}, {"redirects": 6}, {"headers_env": {"Host": "A"}}, {"headers_env": {"X": " "}},
        {"headers_env": {"X": "A"}, "hosts": ("*.a.example",)}, {"headers_env": {"X": "A"}, "schemes": ("http",)},
    ],
    ids=range(22),
)  # fmt: skip
def test_grants_that_mean_nothing_or_too_much(own):
    with pytest.raises(ValueError):
        HttpGrant(**{"hosts": ("a.example",), **own})


def test_a_bare_name_grants_nothing():
    (entry,) = rtfs_capability_sets()
    with pytest.raises(TypeError):
        entry.grant()


def _trusting(web, authority, tmp_path):
    from rtfs_capability_http.requests import HttpSet
    from rtfs_framework.api import CapabilitySetSettings

    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    web.environ["SSL_CERT_FILE"] = str(tmp_path / "ca.pem")
    made = HttpSet(CapabilitySetSettings(environ=web.environ.get), web.names)
    return made.entries()[0]


def test_tls_is_verified_against_the_name_and_not_against_the_address(web, secure, tmp_path):
    server, authority = secure
    entry = _trusting(web, authority, tmp_path)
    web.names.answers["other.example"] = [["127.0.0.1"]]
    grant = web.grant(hosts=(f"*:{server.port}",), schemes=("https",))
    reply = web.call(f"https://good.example:{server.port}/", grant, entry=entry)
    assert reply.get(Keyword("body")) == "fine"
    for host in ("other.example", "127.0.0.1"):
        with pytest.raises(CapabilityError, match="its certificate is not trusted"):
            web.call(f"https://{host}:{server.port}/", grant, entry=entry)
    assert len(server.seen) == 1


def test_an_authority_that_nobody_trusts(web, secure, tmp_path):
    trustme = pytest.importorskip("trustme")
    server, _ = secure
    entry = _trusting(web, trustme.CA(), tmp_path)
    with pytest.raises(CapabilityError, match="its certificate is not trusted"):
        web.call(
            f"https://good.example:{server.port}/",
            web.grant(hosts=("*:" + str(server.port),), schemes=("https",)),
            entry=entry,
        )
    assert server.seen == []

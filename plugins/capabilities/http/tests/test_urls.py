"""The parser: what it accepts, two others read alike; what comes out reads back as itself."""

from __future__ import annotations

import ipaddress
import random
from urllib.parse import urlsplit

import httpx2
import pytest

from rtfs_capability_http.addresses import is_public
from rtfs_capability_http.urls import BadUrl, join, read_url

PARTS = (
    ("http://", "https://", "HTTP://", "http:/", "//", "http:", "", "http:\\\\", "https:///", "ht tp://"),
    ("", "", "", "user@", "u:p@", "@", "good.example@", "good.example:80@"),
    ("good.example", "evil.example", "127.0.0.1", "[::1]", "[::ffff:1.2.3.4]", "1.2.3.4", "0x7f.1", "a", "A.B", "a..b",
     "a.", "b\u00fccher.example", "a%2eb", "a_b.c", "2130706433", "[::1", "1.2.3.4.5", "xn--a", "-a.b", ""),
    ("", "", "", ":80", ":443", ":8080", ":", ":0", ":99999", ":80:80", ":x", ":8 0", ":-1"),
    ("", "/", "/a/../b", "/a b", "/\\evil.example", "//evil.example", "/%2f%2f", "/\u00e9", "/a:b@c", "\\", "/\t"),
    ("", "", "?", "?q=a b", "?@evil.example", "?/../", "?\u00e9=%zz", "?a?b"),
    ("", "", "#", "#@evil.example", "#a#b"),
)  # fmt: skip
COUNT = 4000


def _texts():
    chance = random.Random(16)
    for _ in range(COUNT):
        yield "".join(chance.choice(part) for part in PARTS)


def _plain(host):
    return str(ipaddress.ip_address(host)) if ":" in host else host


def test_whatever_is_accepted_two_other_parsers_read_alike():
    accepted = 0
    for text in _texts():
        try:
            url = read_url(text)
        except BadUrl:
            continue
        accepted += 1
        origin, theirs, others = url.origin, urlsplit(text), httpx2.URL(text)
        assert (theirs.scheme, theirs.username, theirs.password) == (origin.scheme, None, None), text
        for host, port in ((theirs.hostname, theirs.port), (others.host, others.port)):
            assert (_plain(host), port or {"http": 80, "https": 443}[origin.scheme]) == (origin.host, origin.port), text
        assert url.target.isascii()
        assert url.target.isprintable()
        assert " " not in url.target
        assert read_url(str(url)) == url
    assert COUNT / 50 < accepted < COUNT / 2


def test_a_redirect_leads_where_a_client_would_go_or_nowhere():
    base, followed = read_url("http://good.example/a/b?c"), 0
    for text in _texts():
        try:
            found = join(base, text)
        except BadUrl:
            continue
        followed += 1
        expected = httpx2.URL(str(base)).join(text)
        assert _plain(expected.host) == found.origin.host, text
        assert (expected.port or {"http": 80, "https": 443}[expected.scheme]) == found.origin.port, text
    assert followed > COUNT / 50


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True), ("8.8.8.8", True), ("2606:4700::1111", True), ("2a00:1450::1", True),
        ("64:ff9b::808:808", True),
        ("172.15.255.255", True), ("172.32.0.0", True), ("100.63.255.255", True), ("100.128.0.0", True),
        ("172.16.0.0", False), ("172.31.255.255", False), ("100.64.0.0", False), ("100.127.255.255", False),
        ("192.88.99.1", False), ("203.0.113.7", False), ("255.255.255.255", False), ("64:ff9b::a00:1", False),
        ("2001:db8::1", False), ("2001::1", False), ("2002:808:808::1", False), ("3fff::1", False), ("fec0::1", False),
        ("::808:808", False), ("::ffff:8.8.8.8", False), ("4000::1", False), ("ff0e::1", False), ("100::1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address, public):
    assert is_public(ipaddress.ip_address(address)) is public

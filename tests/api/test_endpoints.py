"""Addresses of servers: what is one, what every client reads the same way, and which of them is this machine."""

from __future__ import annotations

import pytest

from rtfs_framework.api import BadEndpoint, read_endpoint

GOOD = [
    ("https://api.openai.com/v1", "https://api.openai.com"),
    ("HTTPS://API.OpenAI.com:443/v1", "https://api.openai.com"),
    ("http://localhost:8000/v1", "http://localhost:8000"),
    ("http://127.0.0.1:80", "http://127.0.0.1"),
    ("http://[::1]:8000/v1", "http://[::1]:8000"),
    ("https://[2001:DB8:0::1]/v1", "https://[2001:db8::1]"),
    ("https://my_gateway.internal/a/b%20c/v1/", "https://my_gateway.internal"),
    ("https://xn--bcher-kva.example/v1", "https://xn--bcher-kva.example"),
]


@pytest.mark.parametrize(("text", "origin"), GOOD)
def test_an_address(text, origin):
    assert read_endpoint(text).origin == origin


BAD = [
    ("", "must begin with"),
    ("localhost:8000", "must begin with"),
    ("ftp://host/v1", "must begin with"),
    ("file:///etc/passwd", "must begin with"),
    ("https:/host", "must begin with"),
    ("https://", "names no server"),
    ("https:///v1", "names no server"),
    ("https://:443/v1", "names no server"),
    ("https://host:70000/v1", "port from 1 to 65,535"),
    ("https://host:0/v1", "port"),
    ("https://host:/v1", "port"),
    ("https://host:-1/v1", "must be https://HOST/PATH"),
    ("https://host:8a/v1", "must be https://HOST/PATH"),
    ("http://[::1/v1", "opening bracket"),
    ("http://[:::1]/v1", "IPv6"),
    ("http://[::1%25eth0]/v1", "must be"),
    ("http://[1.2.3.4]/v1", "IPv6"),
    ("https://host\n/v1", "no blanks"),
    ("https://host/v1\n", "no blanks"),
    ("https://ho st/v1", "no blanks"),
    (" https://host/v1", "must begin with"),
    ("https://host/v1\x00", "no blanks"),
    ("https://ⓛocalhost/v1", "no blanks"),
    ("http://localhost\u3002evil.example/v1", "no blanks"),
    ("https://user@host/v1", "no user name"),
    ("https://api.openai.com@evil.example/v1", "no user name"),
    ("https://user:sk-secret@host/v1", "no user name"),
    ("http://localhost\\@evil.example/v1", "must be"),
    ("http://localhost\\.evil.example/v1", "must be"),
    ("http://local%68ost/v1", "must be"),
    ("https://host/v1?key=1", "no ? or #"),
    ("https://host?x", "no ? or #"),
    ("https://host/v1#x", "no ? or #"),
    ("https://host/a\\b", "must be"),
    ("https://-host/v1", "must be"),
    ("https://host..name/v1", "no name of a server"),
    ("https://" + "a" * 64 + ".example/v1", "no name of a server"),
    ("https://" + "a." * 200 + "example/v1", "no name of a server"),
]


@pytest.mark.parametrize(("text", "says"), BAD, ids=range(len(BAD)))
def test_what_is_none_is_refused_in_words_that_hold_no_secret(text, says):
    with pytest.raises(BadEndpoint) as caught:
        read_endpoint(text)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]"]
)
def test_this_machine(host):
    assert read_endpoint(f"http://{host}:8000/v1").keeps_secrets


@pytest.mark.parametrize(
    "host",
    [
        "localhost.evil.example", "localhost.", "evil-localhost", "127.0.0.1.evil.example", "127.1", "2130706433",
        "0x7f.1", "0x7f000001", "0177.0.0.1", "127.0.0.01", "0.0.0.0", "10.0.0.1", "192.168.0.1", "[::]",
        "[::ffff:10.0.0.1]", "[fe80::1]", "ip6-localhost", "foo.localhost", "127.0.0.1.", "128.0.0.1",
    ],
)  # fmt: skip
def test_what_only_looks_like_this_machine(host):
    assert not read_endpoint(f"http://{host}/v1").keeps_secrets
    assert read_endpoint(f"https://{host}/v1").keeps_secrets

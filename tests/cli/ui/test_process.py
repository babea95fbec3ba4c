"""`rtfs ui` as a process: what it prints, one link after the other, a port that is taken, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket

import httpx
import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_it_serves_one_browser_for_each_link_until_it_is_told_to_end(process, folder, number):
    child = process("ui", "hello.rtfs", "--port", "0", "--json")
    told = json.loads(child.stdout.readline())
    assert told["read_only"] is False
    with httpx.Client(base_url=told["origin"], follow_redirects=True) as browser:
        page = browser.get(told["url"])
        assert page.url.path == "/editor"
        assert "(str &#34;Hi &#34; n)" in page.text
        assert browser.get("/runs").status_code == 200
    assert httpx.get(told["url"]).status_code == 403
    again = child.stderr.readline().decode().strip()
    assert again.startswith("opened; for another browser: http://127.0.0.1:")
    assert httpx.get(again.split()[-1]).status_code == 303
    child.stderr.readline()
    child.send_signal(getattr(signal, number))
    out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (0, b"", b"")


def test_a_port_that_is_taken_is_said_so(process):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        child = process("ui", "--port", str(taken.getsockname()[1]))
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out) == (2, b"")
    assert b"E0924" in err
    assert b"--port" in err

"""The child process: what it knows, and that its crash, its hunger or its silence costs one request and no host."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from rtfs_framework.api import ProviderError, ProviderTimeout, ProviderUnavailable

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")

LONGEST = 20.0
"""Seconds after which a test gives up; nothing is judged by how long it took."""


def pid_of(provider):
    return provider._keeper._child.pid


async def until(true):
    """Wait until something is so."""
    with anyio.fail_after(LONGEST):
        while not true():  # noqa: ASYNC110 - another process tells nobody
            await anyio.sleep(0.01)


def gone(pid):
    """Tell whether a process has ended with all its threads; one that nobody has asked how is a zombie."""
    try:
        said = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return True
    return "\nState:\tZ" in said and "\nThreads:\t1\n" in said


def test_the_child_has_no_environment_and_no_secrets(make, use, of_type, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    async def work(provider):
        await provider.infer(of_type("x"))
        pid = pid_of(provider)
        return seen(pid)

    def seen(pid):
        environ = Path(f"/proc/{pid}/environ").read_bytes()
        return environ.split(b"\0"), list(Path(f"/proc/{pid}/fd").iterdir())

    provider = make(environ={"OPENAI_API_KEY": "sk-secret", "LD_LIBRARY_PATH": "/opt/lib"})
    variables, files = use(provider, work)
    ours = [each for each in variables if each and not each.startswith((b"LC_CTYPE=", b"PWD="))]
    assert sorted(ours) == [b"LD_LIBRARY_PATH=/opt/lib", b"OPENBLAS_NUM_THREADS=1"]
    assert len(files) <= 8  # its three streams, the socket, the lifeline, and what it opens itself


@pytest.mark.parametrize("word", ["(crash)", "(hungry)"])
def test_a_child_that_dies_costs_one_request(make, use, of_type, word):
    async def work(provider):
        await provider.infer(of_type("before"))
        first = pid_of(provider)
        with pytest.raises(ProviderUnavailable, match="the model's process was lost") as raised:
            await provider.infer(of_type(word))
        assert (await provider.infer(of_type("after that"))).text == "that"
        assert pid_of(provider) != first
        return str(raised.value), provider.status()

    said, status = use(make(memory=256 * 1024 * 1024), work)
    assert ("SIGSEGV" in said) if word == "(crash)" else ("more memory than it may take ('memory')" in said)
    assert (status.loaded, status.restarts) == (True, 1)


def test_those_that_wait_are_answered_by_the_next_child(make, use, of_type):
    async def work(provider):
        answers = {}

        async def ask(text):
            try:
                answers[text] = (await provider.infer(of_type(text))).text
            except ProviderError as error:
                answers[text] = type(error)

        async with anyio.create_task_group() as group:
            for text in ("one", "(crash)", "two", "three"):
                group.start_soon(ask, text)
                await anyio.sleep(0.01)
        return answers

    assert use(make(), work) == {"one": "one", "(crash)": ProviderUnavailable, "two": "two", "three": "three"}


def test_a_child_that_was_killed_is_replaced(make, use, of_type):
    async def work(provider):
        await provider.infer(of_type("before"))
        first = pid_of(provider)
        os.kill(first, signal.SIGKILL)
        await until(lambda: gone(first))
        assert (await provider.infer(of_type("after"))).text == "after"
        return provider.status().restarts

    assert use(make(), work) == 1


def test_a_child_that_hangs_is_ended_after_some_patience(make, use, of_type):
    async def work(provider):
        await provider.infer(of_type("before"))
        first = pid_of(provider)
        with pytest.raises(ProviderTimeout):
            await provider.infer(of_type("(hang)", timeout=0.2))
        await until(lambda: gone(first))
        return (await provider.infer(of_type("after"))).text

    assert use(make(patience=0.1), work) == "after"


def test_it_waits_longer_after_each_failure(make, use, of_type):
    async def work(provider):
        waits = []
        for _ in range(3):
            with pytest.raises(ProviderUnavailable):
                await provider.infer(of_type("(crash)"))
            keeper = provider._keeper
            waits.append(round(keeper._not_before - keeper._loop.time(), 1))
            keeper._not_before = 0.0
        await provider.infer(of_type("well"))
        return waits, provider._keeper._failures

    waits, failures = use(make(), work)
    assert waits == sorted(waits)
    assert waits[2] > waits[0]
    assert failures == 0


def test_what_cannot_be_loaded_is_told_at_once_until_it_is_tried_again(make, use, of_type, model):
    model.write_bytes(b"broken")

    async def work(provider):
        for _ in range(3):
            with pytest.raises(ProviderUnavailable, match="the file is no model") as raised:
                await provider.infer(of_type("x"))
        assert raised.value.retry_after > 0
        model.write_bytes(b"letters")
        provider._keeper._not_before = 0.0
        return (await provider.infer(of_type("now"))).text

    assert use(make(), work) == "now"


def test_closing_ends_the_child_and_leaves_no_folder(make, use, of_type):
    async def work(provider):
        await provider.infer(of_type("x"))
        return pid_of(provider), provider._keeper._child.scratch

    pid, scratch = use(make(), work)
    assert gone(pid)
    assert not Path(scratch).exists()


HOST = """
import os, sys, threading
import anyio
from rtfs_framework.api import ProviderSettings
from rtfs_framework.testing.fakes import inference_request
from rtfs_provider_llama.provider import LlamaProvider
from rtfs_provider_llama.settings import LlamaSettings

own = LlamaSettings(model=sys.argv[1], backend=sys.argv[2])
provider = LlamaProvider(ProviderSettings(id="small", own=own))

async def main():
    await provider.infer(inference_request("x"))
    print(provider._keeper._child.pid, flush=True)
    if sys.argv[3]:
        await provider.infer(inference_request(sys.argv[3]))
    await anyio.sleep(60)

anyio.run(main)
"""


@pytest.mark.parametrize("doing", ["", "(hang)", "(endless)"])
def test_the_child_ends_with_a_host_that_is_killed(model, doing):
    command = [sys.executable, "-c", HOST, str(model), "rtfs_provider_llama.testing:LettersBackend", doing]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as host:
        try:
            child = int(host.stdout.readline())
            time.sleep(0.1 if doing else 0.0)  # so that it is at it
        finally:
            host.kill()
        host.wait()
    over = time.monotonic() + LONGEST
    while not gone(child) and time.monotonic() < over:
        time.sleep(0.01)
    assert gone(child)

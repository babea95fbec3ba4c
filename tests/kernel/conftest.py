"""What the kernel's tests share: starting programs, and driving them with answers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete


@pytest.fixture
def start():
    """Return a function that starts a run of a program."""

    def make(text, **limits):
        return Instance(compile_source(text), limits=Limits(**limits)).start()

    return make


@pytest.fixture
def drive():
    """Return a function that answers a run's calls from a list (the last answer repeats); gives (value, calls)."""

    def run(run_, *answers):
        calls = []
        outcome = run_.step()
        while not isinstance(outcome, Complete):
            calls.append((outcome.call.capability, outcome.call.args))
            answer = answers[min(len(calls), len(answers)) - 1] if answers else None
            outcome = run_.throw(answer) if isinstance(answer, Exception) else run_.resume(answer)
        return outcome.value, calls

    return run


@pytest.fixture
def in_process():
    """Return a function that runs Python code in a process of its own, and gives what it printed.

    A crash of the process, a hang or an uncaught exception fails the test.
    """

    def run(code, timeout=50, memory=None):
        limit = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))\n" if memory else ""
        done = subprocess.run(
            [sys.executable, "-c", limit + code], capture_output=True, text=True, timeout=timeout, check=False
        )
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout.strip()

    return run

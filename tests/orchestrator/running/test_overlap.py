"""What plugins say of overlapping: handlers that block, and providers with a bound of their own."""

from __future__ import annotations

import asyncio
import threading

import attrs
import pytest

from rtfs_framework.api import CapabilityError, InferenceReply

GRANT = '[security]\ngrant = ["*"]\n'


class TestThreads:
    """Plugins that wait without being asynchronous run beside others, in worker threads."""

    def test_blocking_handlers_overlap(self, kit, capability, source):
        together = threading.Barrier(4)

        def handler(request):
            together.wait(timeout=20)  # passes only when four are here at once
            return request.args[0]

        entry = capability("ask", handler, blocking=True)
        with kit.open(kit.catalog(capabilities=[entry]), f"[delegation]\nparallel = 4\n{GRANT}") as session:
            assert session.load(source("(defn main [] (pmap (fn [x] (call :ask x)) (range 8)))")).call(
                "main"
            ).value == tuple(range(8))

    def test_a_blocking_handler_has_a_deadline_and_its_error_is_the_program_s(self, kit, capability, source):
        free = threading.Event()

        def handler(request):
            if request.args[0] == 1:
                free.wait(20)
            raise CapabilityError("no line", "NetworkError")

        text = """(defn main [] (map (fn [[_ e]] (getMessage e)) (pmap-settled (fn [x]
            ^{:runtime.learning.timeout {:absolute-ms 50}} (call :ask x)) [0 1])))"""
        entry = capability("ask", handler, blocking=True)
        try:
            with kit.open(kit.catalog(capabilities=[entry]), GRANT) as session:
                program = session.load(source(text))
                first, second = program.call("main").value
        finally:
            free.set()
        assert "no line" in first
        assert "no answer within 0.05 s" in second

    def test_a_provider_whose_infer_is_a_plain_function(self, kit, source):
        together = threading.Barrier(3)
        entry = kit.provider("m", None)

        def infer(request):
            together.wait(timeout=20)
            return InferenceReply(text=f"<{request.args[0]}>", model="fake")

        kit.providers["m"].infer = infer
        text = '(defn ^:delegation :local-model "m" f [x :int] :string "") (defn main [] (map f (range 3)))'
        with kit.open(kit.catalog(entry), "[delegation]\nparallel = 3\n") as session:
            assert session.load(source(text)).call("main").value == ("<0>", "<1>", "<2>")


@pytest.mark.parametrize(
    ("of_plugin", "of_file", "most"), [(2, "", 2), (None, "parallel = 3", 3), (2, "parallel = 5", 5)]
)
def test_a_provider_s_own_bound(kit, source, of_plugin, of_file, most):
    under, seen = [], []

    async def answer(_request):
        under.append(1)
        seen.append(len(under))
        for _ in range(1000):  # until as many are here as may be, or no more will come; then one more would show
            if max(seen) >= most or len(seen) == 12:
                break
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        under.pop()
        return "x"

    entry = attrs.evolve(kit.provider("m", answer), parallel=of_plugin)
    text = '(defn ^:delegation :local-model "m" f [x :int] :string "") (defn main [] (map f (range 12)))'
    with kit.open(kit.catalog(entry), f'[delegation.local_models.m]\nprovider = "m"\n{of_file}\n') as session:
        session.load(source(text)).call("main")
    assert (len(seen), max(seen)) == (12, most)

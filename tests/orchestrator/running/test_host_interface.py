"""`HostInterface` is all that a kernel needs from its host, and the only way out of it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module

from rtfs_framework import HostInterface
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.memo import Unknown
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.boundary.answers import Locally, Reply
from rtfs_framework.orchestrator.running.driver import advance
from rtfs_framework.orchestrator.running.scoped_host import ScopedHost

PROGRAM = """
(defn ^:delegation :remote "m" guess [s] (count s))
(defn ^:memo total [n] (reduce + (range n)))
(context/set :seen 1)
(step "one" (call :cap.a 1))
(let [both (step-parallel (call :cap.b 2) (guess "abc"))]
  [both (pmap (fn [n] (call :cap.c n)) [1 2]) @who (total 1000) (await (ticket (guess "ab"))) (str (sort [3 1 2]))])
"""


WITHIN = {"builtins.id", "exec", "object.__getattr__", "object.__setattr__", "sys._getframe"}
"""What Python tells of that reaches nothing outside: code that is loaded, attributes of functions, frames."""


class Recording:
    """A host that notes what it is asked, and answers everything."""

    def __init__(self):
        self.kinds = set()
        self.fan_outs = 0

    def answer(self, call):
        self.kinds.add(call.kind)
        if call.kind is CallKind.MEMO:
            return Reply(Unknown("place"))
        return Locally() if call.kind is CallKind.DELEGATED else Reply(call.capability)

    def fan_out(self, branches):
        self.fan_outs += 1
        while (branch := branches.start_next()) is not None:
            ended = advance(branch, branch.step(concurrent=True), self)
            assert isinstance(ended, Complete)
        return Reply(None)


def drive(run):
    host: HostInterface = Recording()
    return advance(run, run.step(concurrent=True), host).value, host


def loaded():
    return Instance(compile_source(Source("p", PROGRAM)), claims=lambda _: True, keeps=True).start()


def main():
    """Run once to import what a run needs, then again with every effect of the process watched."""
    drive(loaded())
    run = loaded()
    noted = []
    watching = True
    sys.addaudithook(lambda event, _args: watching and event not in WITHIN and noted.append(event))
    drive(run)
    watching = False
    print(json.dumps(noted))


def test_whatever_leaves_a_run_goes_through_the_two_methods():
    value, host = drive(loaded())

    assert host.kinds == set(CallKind)
    assert host.fan_outs == 2
    assert value == (("cap.b", 3), ("cap.c", "cap.c"), "who", 499500, 2, "[1 2 3]")


def test_a_run_does_nothing_else_to_the_world():
    """Python tells its audit hooks of files, sockets, processes, imports, compiled code, native memory, threads..."""
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_the_host_of_a_session_is_one():
    names = [name for name in vars(HostInterface) if not name.startswith("_")]

    assert names == ["answer", "fan_out"]
    assert all(callable(getattr(ScopedHost, name)) for name in names)
    assert import_module("rtfs_framework").HostInterface is HostInterface


if __name__ == "__main__":
    main()

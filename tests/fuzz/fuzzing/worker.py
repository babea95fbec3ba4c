"""The worker: texts as JSON lines in, a verdict for each out. Run as a script, in a process with bounded memory."""

from __future__ import annotations

import faulthandler
import json
import resource
import sys
from typing import Any

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.errors import LanguageError, RtfsError
from rtfs_framework.lang.printer import write

LIMITS = Limits(depth=1_000, steps=200_000, host_calls=200, step_rounds=50)
MEMORY = 3 << 30
SECONDS = 20


def verdict(text: str) -> str:
    """Return "ok" or what is wrong: only errors of the language may come out, each refusal with a place."""
    try:
        run = Instance(compile_source(text), limits=LIMITS).start()
        outcome = run.step()
        while not isinstance(outcome, Complete):
            outcome = run.resume(_answer(outcome.call))
        write(outcome.value, 100_000)
    except LanguageError as error:
        return "ok" if all(d.place is not None for d in error.diagnostics) else f"no place: {error}"
    except RtfsError:
        return "ok"
    except Exception as error:  # noqa: BLE001 - what fuzzing is for
        return f"{type(error).__name__}: {error}"[:300]
    return "ok"


def _answer(call: Any) -> Any:
    return None if call.kind is CallKind.EVENT else (None, 1, (1, 2), "s")[call.index % 4]


def main() -> None:
    """Judge the texts of standard input, one JSON string a line."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for line in sys.stdin:
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        print(json.dumps(verdict(json.loads(line))), flush=True)
    faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()

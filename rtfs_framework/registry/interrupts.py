"""Whose `KeyboardInterrupt` is it: the user's, or that of a plugin that raised one itself?

Python raises the user's wherever the main thread happens to be; a plugin's comes out of a `raise` of its own. In: what
was caught, with its traceback. When in doubt it is the user's: Ctrl-C must end things at once.
"""

from __future__ import annotations

import dis
import signal
import threading
from functools import partial
from types import CodeType, TracebackType

_RAISE = frozenset({dis.opmap["RAISE_VARARGS"]})


def by_user(error: BaseException) -> bool:
    """Tell whether an exception is Ctrl-C, pressed by the user."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        if isinstance(found, KeyboardInterrupt) and _is_signal(found):
            return True
        found = found.__cause__ or found.__context__
    return False


def by_statement(error: BaseException) -> bool:
    """Tell whether an exception began at a `raise` of Python code, and not at whatever was being done."""
    frames = _frames(error.__traceback__)
    if not frames or frames[-1].tb_lasti < 0:
        return False
    innermost = frames[-1]
    return innermost.tb_frame.f_code.co_code[innermost.tb_lasti] in _RAISE


def _is_signal(error: BaseException) -> bool:
    """Tell whether an exception came of the signal: no `raise` began it, or that of the signal's own handler."""
    if threading.current_thread() is not threading.main_thread():
        return False
    handler = _handler_code()
    if handler is not None and any(each.tb_frame.f_code is handler for each in _frames(error.__traceback__)):
        return True
    return not by_statement(error)


def _frames(at: TracebackType | None) -> list[TracebackType]:
    found = []
    while at is not None:
        found.append(at)
        at = at.tb_next
    return found


def _handler_code() -> CodeType | None:
    """Return the code of the handler of Ctrl-C when it is a Python function (asyncio's is one)."""
    handler = signal.getsignal(signal.SIGINT)
    while isinstance(handler, partial):
        handler = handler.func
    handler = getattr(handler, "__func__", handler)
    code = getattr(handler, "__code__", None)
    return code if isinstance(code, CodeType) else None

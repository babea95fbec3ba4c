"""What a match that names every case ends with: `case _ as never: raise forgotten(never)`.

Type checkers refuse it where a case is missing. `typing_extensions` has `assert_never` for this, and takes as long to
import as Python takes to start.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Never


def forgotten(value: Never) -> AssertionError:
    """Return the error of a match without a case for a value."""
    return AssertionError(f"no case for {value!r}")

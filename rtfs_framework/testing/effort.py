"""How long property tests look: one number for all of them, so that a slow env looks longer and a matrix looks once.

In: the environment variable TEST_EFFORT, a factor (1 when it is not set). Out: how many examples a test tries.

    @settings(max_examples=effort(300))
"""

from __future__ import annotations

import os

LEAST = 5
"""No test tries fewer."""


def effort(examples: int) -> int:
    """Return how many examples to try where `examples` are tried at the usual effort.

    Raises:
        ValueError: TEST_EFFORT is no number, or not above zero: a test that looks at nothing would pass.
    """
    text = os.environ.get("TEST_EFFORT") or "1"
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < 1e6:
        message = f"TEST_EFFORT={text!r} is no factor: a number above zero, as in TEST_EFFORT=10"
        raise ValueError(message)
    return max(min(examples, LEAST), round(examples * factor))

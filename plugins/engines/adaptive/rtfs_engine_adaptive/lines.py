"""One quantity of one target, expected from what is known of a call: a line, learned as outcomes come in.

Recursive least squares with exponential forgetting (Haykin, Adaptive Filter Theory, ch. 10), from a ridge prior. What a
target does may change at once: the residuals are watched by a two-sided Page-Hinkley test in its recursive form (Page,
Continuous Inspection Schemes, Biometrika 1954). When it tells, what was known counts like the prior.

A line is plain data: `t` (the coefficients), `p` (their covariance, up to the noise), `n` (how many outcomes count),
`m` (the mean square of the residuals), `up` and `down` (the two sums of the test).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

Line = Mapping[str, Any]

RIDGE = 2.0
"""Outcomes that the prior counts like."""
_START = 1.0 / RIDGE
_SLACK = 0.25
"""Standard deviations by which residuals may be off without being counted."""
_MOST_OFF = 3.0
"""Standard deviations that one residual counts at most: two failures in a row are no change yet."""
_LEAST_DEVIATION = 0.05
"""As a share of what is expected."""
_SMOOTHING = 0.01
_TINY = 1e-9
_FEWEST = 10.0
"""Outcomes before which no change is looked for."""
_AFTER_CHANGE = 10.0
"""How many outcomes what was known counts like, at most, after a change."""


def new_line(size: int, value: float) -> Line:
    """Return the line that expects one value of all calls."""
    return {
        "t": [value, *[0.0] * (size - 1)],
        "p": _diagonal(size, _START),
        "n": 0.0,
        "m": 0.0,
        "up": 0.0,
        "down": 0.0,
    }


def uncertain(line: Line, size: int) -> Line:
    """Return a line that expects the same, as a prior: the first outcomes count much."""
    value = line["t"]
    return {**new_line(size, 0.0), "t": [*value, *[0.0] * (size - len(value))][:size]}


def expected(line: Line, x: Sequence[float]) -> float:
    """Return what a line expects of a call."""
    t = line["t"]
    return float(t[0]) if len(t) == 1 else float(sum(a * b for a, b in zip(t, x, strict=True)))


def learned(
    line: Line, x: Sequence[float], y: float, decay: float, bound: float | None, *, share: bool
) -> tuple[Line, bool]:
    """Return the line after one more outcome, and whether it tells of a change; without a bound none is looked for.

    `share` says that `y` is within 0 and 1: then its deviation is at least that of a coin of such a mean.
    """
    mean = expected(line, x)
    off = y - mean
    coefficients, covariance = _updated(line, x, off, decay)
    n = line["n"] * decay + 1.0
    square = line["m"] + (off * off - line["m"]) * max(1.0 / n, _SMOOTHING)
    made = {"t": coefficients, "p": covariance, "n": n, "m": square, "up": 0.0, "down": 0.0}
    if bound is None or line["n"] < _FEWEST:
        return made, False
    least = sqrt(max(mean * (1.0 - mean), 0.0)) if share else 0.0
    z = off / max(sqrt(line["m"]), least, _LEAST_DEVIATION * abs(mean), _TINY)
    z = min(max(z, -_MOST_OFF), _MOST_OFF)
    up, down = max(0.0, line["up"] + z - _SLACK), max(0.0, line["down"] - z - _SLACK)
    if max(up, down) <= bound:
        made["up"], made["down"] = up, down
        return made, False
    return {**made, "p": _diagonal(len(x), 1.0 / _AFTER_CHANGE), "n": min(n, _AFTER_CHANGE)}, True


def _updated(line: Line, x: Sequence[float], off: float, decay: float) -> tuple[list[float], list[list[float]]]:
    """Return coefficients and covariance after one more residual."""
    p = line["p"]
    if len(x) == 1:
        ((only,),) = p
        gain = only / (decay + only)
        return [line["t"][0] + gain * off], [[min((only - gain * only) / decay, _START)]]
    size = range(len(x))
    px = [sum(row[j] * x[j] for j in size) for row in p]
    gains = [each / (decay + sum(x[i] * px[i] for i in size)) for each in px]
    shrunk = [[(p[i][j] - gains[i] * px[j]) / decay for j in size] for i in size]
    largest = max(shrunk[i][i] for i in size)
    if largest > _START:  # directions in which nothing comes in would grow without end
        shrunk = [[each * _START / largest for each in row] for row in shrunk]
    return [a + g * off for a, g in zip(line["t"], gains, strict=True)], shrunk


def _diagonal(size: int, value: float) -> list[list[float]]:
    return [[value if i == j else 0.0 for j in range(size)] for i in range(size)]

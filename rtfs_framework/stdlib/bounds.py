"""Bounds of the library that no host moves. Sizes of values are the host's: see `lang/meter.py`."""

MAX_DIGITS = 4300
"""Digits that a text may have to be read as a number (reading is quadratic in them; Python's own default)."""

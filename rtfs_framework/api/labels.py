"""Labels: the marks that data carries, such as "pii". A target may be sent what it accepts all marks of."""

from __future__ import annotations

Label = frozenset[str]
"""A set of marks, without their colons. No mark means public."""

PUBLIC: Label = frozenset()

"""The whole table: importing this module loads every family. Nothing else imports a family for its side effect."""

from __future__ import annotations

from rtfs_framework.stdlib.table import BUILTINS

FAMILIES = (
    "arithmetic",
    "mathematics",
    "conversions",
    "comparison",
    "predicates",
    "strings",
    "strings_more",
    "formatting",
    "regex",
    "slices",
    "sequences",
    "sequences_more",
    "reordering",
    "sets",
    "higher_order",
    "higher_order_more",
    "grouping",
    "maps",
    "nested",
    "functions",
    "json",
    "csv",
    "encoding",
    "time",
    "bits",
    "errors",
    "plans",
    "typecheck",
)

for _family in FAMILIES:
    __import__(f"rtfs_framework.stdlib.{_family}")

# Whatever was imported before: the names of the families in this order.
_PLACES = {family: place for place, family in enumerate(FAMILIES)}
_rows = sorted(BUILTINS.items(), key=lambda row: _PLACES[row[1].family])
BUILTINS.clear()
BUILTINS.update(_rows)

__all__ = ["BUILTINS", "FAMILIES"]

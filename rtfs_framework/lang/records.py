"""What makes records of classes: `define`, `frozen`, `field`, `evolve`. For type checkers they are attrs' own."""

from __future__ import annotations

from rtfs_framework.lang.record_classes import NOTHING, fields_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from attrs import define, evolve, field, frozen
else:
    from rtfs_framework.lang.record_classes import Field as field  # noqa: N813 - it is used as a function is
    from rtfs_framework.lang.record_classes import define, evolve, frozen

__all__ = ["NOTHING", "define", "evolve", "field", "fields_of", "frozen"]

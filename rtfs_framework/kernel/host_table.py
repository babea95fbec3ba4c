"""The table of the functions that reach the host: like the library's, which knows no host."""

from __future__ import annotations

from rtfs_framework.stdlib.table import Builtin

HOST: dict[str, Builtin] = {}
"""Every name (aliases included) to its record, once `effects` is imported."""

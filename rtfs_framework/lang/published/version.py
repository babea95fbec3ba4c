"""Which format programs travel in: apart from its tables, so that whoever runs one need not import a compiler."""

from __future__ import annotations

NAME, FORMAT = "rtfs-ir", 1

"""What plug-ins share that decide by a fitted model: labelled rows in, a model file out and in again.

A model file is JSON, read whole and checked before anything rests on it: nothing in it is code. Fitting needs libraries
that are extras of the plug-in; deciding needs none.
"""

from rtfs_framework.api.fitting.data import (
    LARGEST,
    DamagedError,
    model_data,
    read_list,
    read_number,
    read_numbers,
    read_places,
    read_table,
)
from rtfs_framework.api.fitting.errors import (
    MALFORMED,
    MISSING,
    NO_COLUMN,
    NO_LIBRARY,
    NO_MODEL,
    TOO_FEW,
    UNREADABLE,
    FileError,
)
from rtfs_framework.api.fitting.files import Told, progress, write_model
from rtfs_framework.api.fitting.rows import Row, Rows, read_rows
from rtfs_framework.api.fitting.terms import TermTable, pairs_and_words

__all__ = [
    "LARGEST",
    "MALFORMED",
    "MISSING",
    "NO_COLUMN",
    "NO_LIBRARY",
    "NO_MODEL",
    "TOO_FEW",
    "UNREADABLE",
    "DamagedError",
    "FileError",
    "Row",
    "Rows",
    "TermTable",
    "Told",
    "model_data",
    "pairs_and_words",
    "progress",
    "read_list",
    "read_number",
    "read_numbers",
    "read_places",
    "read_rows",
    "read_table",
    "write_model",
]

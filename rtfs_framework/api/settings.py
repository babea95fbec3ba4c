"""Settings that a plugin declares: an attrs class whose fields are the keys of its table in `delegation.toml`.

A configuration that lies beside a program is not trusted until its user says so. Until then a plugin's settings in it
are ignored, but for those of an on-device model that the plugin declares harmless by the metadata of their field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SettingsSchema = type[Any]
"""An attrs class. Field types, defaults and validators are enforced; unknown keys are refused with a suggestion."""


UNTRUSTED = "rtfs.untrusted"
ANY = {UNTRUSTED: "any"}
"""Metadata of a field whose value may come from anybody: it names no file, host or key, and switches nothing on."""
FILE_WITHIN = {UNTRUSTED: "file"}
"""Metadata of a field that names a file: one within the configuration's folder may come from anybody."""


def variables_of(value: object) -> Iterator[str]:
    """Yield the environment variables that a setting `*_env` names: by a text, a list of texts, or a table's values."""
    each: object
    for each in (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple | list) else (value,)
    ):
        if isinstance(each, str) and each:
            yield each

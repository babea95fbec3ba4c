"""Values and calls as JSON lines. What JSON cannot hold is null as `value`, and RTFS text as `print`."""

from __future__ import annotations

import json
from typing import Any

from rtfs_framework.lang.jsontext import JsonError
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types.jsonable import to_json
from rtfs_framework.lang.values import type_name


def value_json(value: Any) -> dict[str, Any]:
    """Return a value as JSON data with its type's name; `print` is there when JSON cannot hold the value."""
    try:
        return {"value": to_json(value), "type": type_name(value)}
    except JsonError:
        return {"value": None, "type": type_name(value), "print": write(value)}


def line(data: Any) -> str:
    """Return one line of JSON. Half a surrogate pair, which UTF-8 cannot hold, is escaped."""
    text = json.dumps(data, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(data)
    return text

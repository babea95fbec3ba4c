"""What the server's addresses are, for machines (OpenAPI 3.1) and for people: one page that loads nothing else."""

from __future__ import annotations

from functools import cache
from html import escape
from typing import Any

from rtfs_framework import __version__
from rtfs_framework.server.openai.described import PATHS

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_NUMBER = {"type": "number", "minimum": 0}
_WHOLE = {"type": "integer", "minimum": 0}
_FACTS = {"type": "object", "additionalProperties": _TEXT}


def _object(required: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": fields}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _said(schema: dict[str, Any], what: str) -> dict[str, Any]:
    return {**schema, "description": what}


_SCHEMAS: dict[str, Any] = {
    "RunRequest": _object(
        ("program",),
        program=_object(
            ("source",),
            name=_said(_TEXT, "What messages call it."),
            source=_said(_TEXT, "The program's text."),
            sha256=_said(_TEXT, "Of the text, in hexadecimal: what was changed on its way is refused."),
        ),
        entry=_said(_or_null(_TEXT), "The function to call; main where there are arguments."),
        args=_said(_TEXT, 'Its arguments: an RTFS vector as text, such as [1 "two" :three].'),
        context=_object(
            labels=_said(_TEXTS, "Marks of all that comes with the request."),
            grant=_said(_or_null(_TEXTS), "Capabilities that the caller's rules grant; null for no bound."),
            deny=_said(_TEXTS, "Capabilities and functions that they deny."),
            reach={"enum": ["pure", "local", "remote", None]},
            level={"enum": ["pure", "controlled", "full", None]},
            agent=_TEXT,
            environment=_FACTS,
            constraints=_FACTS,
        ),
        deadline=_said(_or_null(_NUMBER), "Seconds that are left."),
        budget=_or_null(_object(money=_or_null(_NUMBER), tokens=_or_null(_WHOLE), calls=_or_null(_WHOLE))),
        hops=_said(_or_null(_WHOLE), "Hosts that it may still go to."),
        via=_said(_TEXTS, "The ids of the hosts that it has passed."),
        key=_said(_TEXT, "The same key gives the same answer again."),
        caller=_said(_FACTS, "The run, head and call of who asks."),
    ),
    "RunAnswer": _object(
        ("value", "run", "head", "host", "usage", "labels", "via"),
        value=_said(_TEXT, "The value, as RTFS text."),
        run=_said(_TEXT, 'The run in the journal; "" where the program asked nothing of its host.'),
        head=_said(_TEXT, "The journal's head after it."),
        host=_TEXT,
        usage=_object(input_tokens=_WHOLE, output_tokens=_WHOLE, cost=_or_null(_NUMBER)),
        labels=_said(_TEXTS, "The marks of the value."),
        via=_TEXTS,
    ),
    "Error": _object(
        ("error",),
        error=_object(
            ("code", "kind", "message"),
            code=_said(_TEXT, "Stable: `rtfs explain CODE` tells what it means."),
            kind=_TEXT,
            message=_TEXT,
            retry_after=_or_null(_NUMBER),
            elsewhere=_said(_TEXTS, "Other hosts that may take the request."),
            thrown=_said(_TEXT, "What the program threw, as RTFS text: kind, message, data."),
            labels=_said(_TEXTS, "The marks of all that the run was given."),
        ),
    ),
}

_REFUSED = {
    "400": "The request is not as the protocol says.",
    "401": "Nobody has this token.",
    "403": "The rules do not allow it.",
    "408": "Its time is over.",
    "409": "Another request has this key.",
    "413": "It is too large.",
    "421": "This host declines, and names others.",
    "422": "The program was refused, or has failed.",
    "429": "Over a budget, a rate, or one's share of the places.",
    "503": "Busy, or about to end.",
    "508": "It has passed this host before, or has no hops left.",
}


def _ref(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _get(summary: str, *, token: bool = True, path: tuple[str, ...] = ()) -> dict[str, Any]:
    made: dict[str, Any] = {"summary": summary, "responses": {"200": {"description": "OK"}}}
    if path:
        made["parameters"] = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in path]
    if not token:
        made["security"] = []
    return {"get": made}


def _post(summary: str, *, path: tuple[str, ...]) -> dict[str, Any]:
    return {"post": _get(summary, path=path)["get"]}


@cache
def description() -> dict[str, Any]:
    """Return the description of all addresses."""
    errors = {status: {"description": what, "content": _ref("Error")} for status, what in _REFUSED.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "RTFS host",
            "version": __version__,
            "description": "Runs programs for others, within what their tenant may do.",
        },
        "security": [{"token": []}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _SCHEMAS,
        },
        "paths": {
            "/v1/rtfs/run": {
                "post": {
                    "summary": "Run a program.",
                    "parameters": [
                        {"name": "RTFS-Protocol", "in": "header", "schema": {"const": "1"}, "required": False}
                    ],
                    "requestBody": {"required": True, "content": _ref("RunRequest")},
                    "responses": {"200": {"description": "Its value.", "content": _ref("RunAnswer")}, **errors},
                }
            },
            "/v1/rtfs/offer": _get("What this host offers: targets, prices, marks, load."),
            "/v1/rtfs/runs/{run}": _get("How a run of this tenant stands.", path=("run",)),
            "/v1/rtfs/runs/{run}/verify": _get("Whether its record is as it was written.", path=("run",)),
            "/v1/rtfs/models": _get("The models of this tenant: usable, in memory, health, price."),
            "/v1/rtfs/models/{model}/load": _post("Take a model into memory.", path=("model",)),
            "/v1/rtfs/models/{model}/unload": _post("Take a model out of memory.", path=("model",)),
            **PATHS,
            "/healthz": _get("Whether the process answers.", token=False),
            "/readyz": _get("Whether it takes requests: 503 while it ends.", token=False),
            "/metrics": _get("Counts, as Prometheus reads them."),
            "/openapi.json": _get("This description.", token=False),
            "/docs": _get("The same for people.", token=False),
        },
    }


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "code,th{font-family:ui-monospace,monospace}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;vertical-align:top;border-top:1px solid #ddd;padding:.3em .6em}h2{margin-top:2em}"
)


@cache
def page() -> str:
    """Return the page for people: no script, nothing from elsewhere."""
    told = description()
    about = f"{escape(told['info']['description'])} Send <code>Authorization: Bearer TOKEN</code>."
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>RTFS host</title><style>{_STYLE}</style>",
        f"<h1>RTFS host {escape(__version__)}</h1><p>{about} <a href=openapi.json>openapi.json</a> says it, too.</p>",
        "<h2>Addresses</h2><table>",
    ]
    for path, methods in told["paths"].items():
        for method, said in methods.items():
            parts.append(f"<tr><th>{method.upper()} {escape(path)}<td>{escape(said['summary'])}")
    parts.append("</table><h2>Errors</h2><table>")
    parts += [f"<tr><th>{status}<td>{escape(what)}" for status, what in _REFUSED.items()]
    parts.append("</table>")
    for name, schema in _SCHEMAS.items():
        parts.append(f"<h2>{escape(name)}</h2><table>{''.join(_rows(schema, '', set(schema['required'])))}</table>")
    return "".join(parts) + "</html>\n"


def _rows(schema: dict[str, Any], before: str, required: set[str]) -> list[str]:
    rows = []
    for name, field in schema["properties"].items():
        inner = next((each for each in field.get("anyOf", ()) if each["type"] != "null"), field)
        kind = inner.get("type") or " or ".join(str(each) for each in inner.get("enum", ()))
        needed = " (needed)" if name in required else ""
        about = escape(field.get("description", inner.get("description", "")))
        rows.append(f"<tr><th>{escape(before + name)}<td>{escape(str(kind))}{needed}<td>{about}")
        if "properties" in inner:
            rows += _rows(inner, f"{before}{name}.", set(inner["required"]))
    return rows

"""A JSON transform: parse records, keep some, make rows of them, write those; then the text's length and its end."""

import json


def record(i):
    return {"id": i, "name": f"user {i}", "score": i * 37 % 100, "tags": ["a", "b", "c"], "active": i % 2 == 1}


def setup(n):
    return json.dumps([record(i) for i in range(n)], separators=(",", ":"))


def keep(r):
    return r["active"] and r["score"] >= 30


def row(r):
    return [r["id"], r["name"].upper(), r["score"] // 10, len(r["tags"])]


def main(text):
    written = json.dumps([row(r) for r in json.loads(text) if keep(r)], separators=(",", ":"))
    return f"{len(written)}{written[-60:]}"

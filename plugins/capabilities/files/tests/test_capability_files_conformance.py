"""Every capability of this distribution keeps the contract of capabilities."""

from __future__ import annotations

from functools import partial

import attrs
import pytest

from rtfs_capability_files.plugin import FilesGrant, rtfs_capabilities
from rtfs_framework.api import CapabilityGrant, Keyword, Map
from rtfs_framework.testing.conformance import CapabilityConformance

OFFERED = {entry.id: entry for entry in rtfs_capabilities()}


def _of(**options):
    return Map.wrap({Keyword(name): value for name, value in options.items()})


ACCEPTED = {
    "fs.read": [("a.txt",), (_of(path="a.txt", encoding="latin-1"),)],
    "fs.list": [(".",), ("sub",)],
    "fs.stat": [("a.txt",), ("sub",), ("missing",)],
    "fs.exists": [("a.txt",), ("missing",)],
    "fs.write": [("new.txt", "new"), ("a.txt", "other")],
    "fs.append": [("log.txt", "line\n")],
    "fs.delete": [("missing",)],
    "data.csv": [("a.csv",), (_of(path="a.csv", rows=1, types=Map.wrap({"n": Keyword("int")})),)],
    "data.jsonl": [("a.jsonl",), (_of(path="a.jsonl", rows=1),)],
    "data.json": [("a.json",)],
}


class _Files(CapabilityConformance):
    id = ""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        (tmp_path / "sub").mkdir()
        (tmp_path / "a.txt").write_text("text", encoding="utf-8")
        (tmp_path / "a.csv").write_text("n,word\n1,one\n2,two\n", encoding="utf-8")
        (tmp_path / "a.jsonl").write_text('{"n": 1}\n[2]\n', encoding="utf-8")
        (tmp_path / "a.json").write_text('[1, {"n": 2}]', encoding="utf-8")
        self.grants = (CapabilityGrant(FilesGrant(roots=(".",)), str(tmp_path)),)

    def make(self):
        """Return the entry, whose calls are granted the folder."""
        entry = OFFERED[self.id]
        return attrs.evolve(entry, handler=partial(_granted, entry.handler, self.grants))

    def accepted(self):
        return ACCEPTED[self.id]

    def refused(self):
        text = [""] * (len(OFFERED[self.id].parameters) - 1)
        return [("../a.txt", *text), ("/etc/passwd", *text)]


def _granted(handler, grants, request):
    return handler(attrs.evolve(request, grants=grants))


class TestFsRead(_Files):
    id = "fs.read"


class TestFsList(_Files):
    id = "fs.list"


class TestFsStat(_Files):
    id = "fs.stat"


class TestFsExists(_Files):
    id = "fs.exists"


class TestFsWrite(_Files):
    id = "fs.write"


class TestFsAppend(_Files):
    id = "fs.append"


class TestFsDelete(_Files):
    id = "fs.delete"


class TestDataCsv(_Files):
    id = "data.csv"


class TestDataJsonl(_Files):
    id = "data.jsonl"


class TestDataJson(_Files):
    id = "data.json"

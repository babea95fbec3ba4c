"""Entry points are those that `importlib.metadata` finds, and it is asked where folders do not tell."""

from __future__ import annotations

import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from rtfs_framework.registry import installed

ODD = """
# a comment
[other]
x = nowhere
[acme_points]
 plain=acme_odd
dotted = acme_odd : Box.inner
# another
extra = acme_odd:Box [more]
"""


def theirs(group):
    """Return what the standard library finds, in the same words."""
    found = metadata.entry_points(group=group)
    return sorted((each.name, each.value, each.dist.metadata["Name"], each.dist.metadata["Version"]) for each in found)


def ours(group):
    """Return what is found here."""
    found = installed.entry_points(group)
    return sorted((each.name, each.value, each.distribution, each.version) for each in found)


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """Return a folder on the search path that holds distributions of unusual looks."""
    for name in ("acme_odd-1.0.dist-info", "acme.odd-0.9.dist-info"):
        info = tmp_path / name
        info.mkdir()
        version = name.split("-")[1].removesuffix(".dist")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: Acme.Odd\nVersion: {version}\n\nVersion: 9\n")
        (info / "entry_points.txt").write_text(ODD)
    egg = tmp_path / "acme_egg.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: acme-egg\nVersion: 3\n")
    (egg / "entry_points.txt").write_text("[acme_points]\negg = acme_odd:Box\n")
    (tmp_path / "acme_file.egg-info").write_text("Name: acme-file\n")
    (tmp_path / "acme_odd.py").write_text("class Box:\n    inner = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("acme_odd", None)


@pytest.fixture
def no_library(monkeypatch):
    """Let `importlib.metadata` find nothing: what is found was read from folders."""
    monkeypatch.setattr(metadata, "entry_points", lambda **_: ())


@pytest.mark.parametrize("group", ["rtfs_framework", "console_scripts", "pytest11", "acme_points", "none"])
def test_the_same_is_found(odd, group, monkeypatch):
    expected = theirs(group)
    monkeypatch.setattr(metadata, "entry_points", lambda **_: ())
    assert ours(group) == expected
    assert expected or group in {"none", "rtfs_framework"}  # the core alone has no plug-ins


def test_the_same_is_loaded(odd, no_library):
    found = {each.name: each.load() for each in installed.entry_points("acme_points")}
    box = found["egg"]
    assert found == {"plain": sys.modules["acme_odd"], "dotted": 7, "extra": box, "egg": box}


def test_what_cannot_be_read_is_left_out(odd, no_library):
    (odd / "acme_egg.egg-info" / "entry_points.txt").write_bytes(b"[acme_points]\n\xff")
    for info in odd.glob("*.dist-info"):
        (info / "METADATA").write_bytes(b"Name: \xff")
    assert {(each.name, each.distribution, each.version) for each in installed.entry_points("acme_points")} == {
        ("plain", "", ""),
        ("dotted", "", ""),
        ("extra", "", ""),
    }


def test_an_archive_on_the_search_path_is_left_to_the_library(tmp_path, monkeypatch):
    archive = tmp_path / "acme.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("acme_zip-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: acme-zip\nVersion: 1\n")
        file.writestr("acme_zip-1.dist-info/entry_points.txt", "[acme_points]\nzipped = acme_zip\n")
    monkeypatch.syspath_prepend(str(archive))
    assert ours("acme_points") == theirs("acme_points") == [("zipped", "acme_zip", "acme-zip", "1")]


def test_finders_of_distributions_are_asked(tmp_path, monkeypatch):
    info = tmp_path / "acme_far-2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-far\nVersion: 2\n")
    (info / "entry_points.txt").write_text("[acme_points]\nfar = acme_far\n")

    class Finder(metadata.DistributionFinder):
        def find_spec(self, *_):
            return None

        def find_distributions(self, context=None):
            return [metadata.PathDistribution(Path(info))]

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert ours("acme_points") == [("far", "acme_far", "acme-far", "2")]

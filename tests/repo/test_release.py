"""Releases: fragments become changelogs, and versions promise no less than the fragments tell."""

from __future__ import annotations

import pytest

from release.distributions import ReleaseError, distributions, named, wrong_fragments
from release.prepare import prepare

DAY = "2026-12-01"


@pytest.fixture
def tree(tmp_path):
    """A core and one plug-in, at 0.1.0."""
    core, plugin = tmp_path, tmp_path / "plugins/caches/x"
    (core / "acme_core").mkdir(parents=True)
    (core / "acme_core/__init__.py").write_text('"""The core."""\n\n__version__ = "0.1.0"\n', encoding="utf-8")
    (core / "pyproject.toml").write_text('[project]\nname = "acme-core"\ndynamic = ["version"]\n', encoding="utf-8")
    plugin.mkdir(parents=True)
    project = '[project]\nname = "acme-x"\nversion = "0.1.0"\ndependencies = ["acme-core>=0.1,<0.2"]\n'
    (plugin / "pyproject.toml").write_text(project, encoding="utf-8")
    return tmp_path


def change(folder, name, text="A thing that users see has changed."):
    (folder / "changes").mkdir(exist_ok=True)
    (folder / "changes" / name).write_text(f"{text}\n", encoding="utf-8")


def test_every_distribution_of_the_repository_can_be_released():
    found = distributions()
    assert found[0].name == "rtfs-framework"
    assert len({each.name for each in found}) == len(found) > 40
    assert wrong_fragments() == []


def test_a_release_has_its_changes_in_its_changelog_and_its_version_in_its_file(tree):
    plugin = tree / "plugins/caches/x"
    change(plugin, "12.fixed.md", "A full disk is told.")
    change(plugin, "+speed.fixed.md", "Look-ups are quicker.")
    prepare("acme-x", "0.1.1", DAY, tree)
    made = named("acme-x", tree)
    assert (str(made.version), made.fragments) == ("0.1.1", [])
    text = (plugin / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## 0.1.1 (2026-12-01)" in text
    assert "- A full disk is told. (#12)" in text
    assert "- Look-ups are quicker." in text
    change(plugin, "+more.added.md", "There is more of it.")
    prepare("acme-x", "0.2.0", "2026-12-02", tree)
    later = (plugin / "CHANGELOG.md").read_text(encoding="utf-8")
    assert later.index("## 0.2.0") < later.index("## 0.1.1")


@pytest.mark.parametrize(
    ("kind", "version", "why"),
    [
        ("fixed", "0.1.0", "is at 0.1.0 already"),
        ("fixed", "0.0.9", "is not above it"),
        ("fixed", "next", "'next' is no version: write one as 0.2.0"),
        ("added", "0.1.1", "promises corrections alone, and there is: added; call it 0.2.0"),
        ("breaking", "0.1.1", "call it 0.2.0"),
    ],
)
def test_a_version_that_promises_too_much_is_refused_and_nothing_is_written(tree, kind, version, why):
    plugin = tree / "plugins/caches/x"
    change(plugin, f"1.{kind}.md")
    with pytest.raises(ReleaseError, match=why):
        prepare("acme-x", version, DAY, tree)
    assert str(named("acme-x", tree).version) == "0.1.0"
    assert not (plugin / "CHANGELOG.md").exists()


def test_a_release_that_a_plugin_would_not_take_is_refused(tree):
    change(tree, "1.added.md")
    with pytest.raises(ReleaseError, match=r"acme-x would not take acme-core 0\.2\.0: widen their ranges first"):
        prepare("acme-core", "0.2.0", DAY, tree)
    assert str(named("acme-core", tree).version) == "0.1.0"
    assert len(named("acme-core", tree).fragments) == 1


def test_nothing_to_release_and_names_that_lead_nowhere_are_told(tree):
    with pytest.raises(ReleaseError, match=r"has no changes since 0\.1\.0: add a file to plugins/caches/x/changes/"):
        prepare("acme-x", "0.1.1", DAY, tree)
    with pytest.raises(ReleaseError, match="no distribution is called acme-y; there are: acme-core, acme-x"):
        prepare("acme-y", "0.1.1", DAY, tree)


def test_fragments_that_nothing_reads_or_that_say_nothing_are_told(tree):
    change(tree, "fixed.md")
    change(tree, "2.improved.md")
    change(tree, "3.fixed.md", "Fixed.")
    assert [complaint.split(":")[0] for complaint in wrong_fragments(tree)] == [
        "changes/2.improved.md",
        "changes/3.fixed.md",
        "changes/fixed.md",
    ]

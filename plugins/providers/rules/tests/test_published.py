"""A rule file is named by `rules`, or by `path` as local models of all kinds are; by one of the two."""

from __future__ import annotations

import pytest

from rtfs_framework import Session
from rtfs_framework.api import ConfigError


@pytest.fixture
def opened(tmp_path):
    def open_(table):
        path = tmp_path / "delegation.toml"
        path.write_text(f"[delegation.local_models.m]\n{table}\n", encoding="utf-8")
        return Session.open(config_path=path, environ={"RTFS_HOME": str(tmp_path / "home")}, journal=False)

    return open_


def test_a_path_alone_is_enough(opened):
    with opened('path = "words.rules"') as session:
        (spec,) = [each for each in session.host.config.providers if each.id == "m"]
    assert (spec.plugin, spec.own.file) == ("rules", "words.rules")


@pytest.mark.parametrize("table", ['provider = "rules"', 'rules = "a"\nprovider = "rules"\npath = "b"'])
def test_one_file_must_be_named(opened, table):
    with pytest.raises(ConfigError, match="one rule file must be named"):
        opened(table)

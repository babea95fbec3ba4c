"""Whatever a configuration has wrong, its message says what to write instead."""

from __future__ import annotations

import pytest

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.orchestrator.session import Session


def mistakes(tmp_path, text):
    path = tmp_path / "delegation.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        Session.open(config_path=path, environ={"RTFS_HOME": str(tmp_path)})
    return raised.value.diagnostics


@pytest.mark.parametrize(
    ("text", "code", "way_out"),
    [
        ("[serve]\nid = 5", "E0703", 'such as id = "text"'),
        ("[serve]\nprograms = true", "E0703", "such as programs = 10"),
        ('[serve]\nhops = "four"', "E0703", "such as hops = 10"),
        ('[delegation]\nengine = ["a"]', "E0703", 'such as engine = "text"'),
        ("[serve]\nelsewhere = 1", "E0703", 'such as elsewhere = ["one", "two"]'),
        ("serve = 1", "E0703", 'such as serve = { key = "value" }'),
        ('[serve]\nseconds = "soon"', "E0703", "such as seconds ="),
        ("[serve]\nseconds = nan", "E0705", "such as seconds = 1.5"),
        ("[serve]\nconcurrency = 0", "E0705", "leave it out for the usual one, 64"),
        ("[serve]\nshare = 0", "E0705", "leave it out"),
        ('[engines.careful]\nplugin = 5\n[delegation]\nengine = "careful"', "E0703", 'such as plugin = "static"'),
    ],
)
def test_a_value_that_is_not_taken_comes_with_one_that_would_be(tmp_path, text, code, way_out):
    found = mistakes(tmp_path, text)
    assert (found[0].code, all(each.help for each in found)) == (code, True), found
    assert way_out in found[0].help

"""`[publishing]` and `[stores.NAME]`: what they mean, their mistakes, and that an untrusted file has no say in them."""

from __future__ import annotations

import pytest

from rtfs_framework import Session
from rtfs_framework.api.errors import ConfigError

pytestmark = pytest.mark.needs("rtfs-store-directory")
STORE = '[stores.team]\nplugin = "directory"\npath = "programs"\n'


def config_of(text, folder, *, found=False):
    (folder / "home").mkdir(mode=0o700, exist_ok=True)
    path = folder / "delegation.toml"
    path.write_text(text, encoding="utf-8")
    where = {"program_dir": folder} if found else {"config_path": path}
    with Session.open(environ={"RTFS_HOME": str(folder / "home")}, journal=False, **where) as session:
        return session.host.config


def test_stores_and_the_domain_are_read(tmp_path):
    text = f'[publishing]\nsalt = "acme"\nread = ["team"]\ntrusted_keys = "keys.json"\n{STORE}[stores.directory]\n'
    spec = config_of(text, tmp_path).publishing
    assert (spec.salt, spec.read, spec.trusted_keys) == ("acme", ("team",), str(tmp_path / "keys.json"))
    assert [(each.name, each.plugin) for each in spec.stores] == [("team", "directory"), ("directory", "directory")]
    assert spec.stores[0].directory == str(tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[stores.nowhere]\n", "no store is called 'nowhere'"),
        ('[stores.x]\nplugin = "direktory"\n', "directory"),
        ("[stores.x]\nplugin = 3\n", "plugin"),
        ('[stores.directory]\npaht = "x"\n', "path"),
        ('[publishing]\nread = ["team"]\n', "no store is called 'team'"),
        (f'[publishing]\nsalt = "{"x" * 300}"\n', "at most 256"),
        ("[publishing]\nslat = 1\n", "salt"),
    ],
)
def test_mistakes_are_told(tmp_path, text, why):
    with pytest.raises(ConfigError, match=why) as error:
        config_of(text, tmp_path)
    assert error.value.diagnostics[0].span is not None


def test_an_untrusted_file_has_no_say(tmp_path):
    config = config_of(f'[publishing]\nsalt = "evil"\ntrusted_keys = "theirs.json"\n{STORE}', tmp_path, found=True)
    assert config.publishing.salt == ""
    assert config.publishing.trusted_keys is None
    assert config.publishing.stores == ()
    assert "ignored" in config.notices[0].message

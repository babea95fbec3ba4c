"""Keys and addresses of which a provider has several: a key goes nowhere unless it may go to all that are asked."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import pytest

from rtfs_framework.api import ConfigError
from rtfs_framework.orchestrator.session import Session

KEYS = {"ACME_API_KEY": "acme-secret", "ONE_KEY": "one-secret", "TENANT_TOKEN": "tenant-secret"}
VENDOR = "https://api.acme.example/v1"


@attrs.frozen(slots=True, kw_only=True)
class Settings:
    """Settings whose keys and addresses may be lists, and that name variables by a table."""

    endpoint: str | tuple[str, ...] | None = None
    model: str = "m"
    api_key_env: str | tuple[str, ...] | None = None
    headers_env: Mapping[str, str] = attrs.field(factory=dict)

    def base_urls(self, _environ):
        return self.endpoint if isinstance(self.endpoint, tuple) else (self.endpoint or VENDOR,)


@pytest.fixture
def given(kit):
    """Return what opens a session where files are, and answers which variables the provider is given, and why not."""
    entry = attrs.evolve(
        kit.provider("acme", lambda _: "o", remote=True, settings=Settings), keys={"ACME_API_KEY": VENDOR}
    )
    catalog = kit.catalog(entry)
    repo, home = kit.home / "repo", kit.home / "own"
    repo.mkdir()
    home.mkdir()

    def opened(table, *, own=False):
        text = f"[delegation.remote_providers.it]\nprovider = 'acme'\n{table}\n"
        (home / "delegation.toml").write_text(text if own else "", encoding="utf-8")
        (repo / "delegation.toml").write_text("" if own else text, encoding="utf-8")
        surroundings = {"RTFS_HOME": str(home), "RTFS_TRUST": "1", **KEYS}
        with Session.open(catalog=catalog, program_dir=repo, environ=surroundings) as session:
            for target, instance in session.host.pool.instances.items():
                if target.id == "it":
                    instance.provider()
                    seen = kit.providers["acme"].made_from[-1].environ
                    return {name for name in KEYS if name in seen}, instance.unusable()
        raise AssertionError

    return opened


def test_the_user_s_own_word_gives_every_key_to_every_address(given):
    table = "endpoint = ['https://a.example', 'https://b.example']\napi_key_env = ['ACME_API_KEY', 'ONE_KEY']"
    assert given(table, own=True) == ({"ACME_API_KEY", "ONE_KEY"}, None)


def test_a_file_that_was_found_sends_no_bound_key_to_a_list_with_another_address_in_it(given):
    seen, refusal = given(f"endpoint = ['{VENDOR}', 'https://evil.example']\napi_key_env = 'ACME_API_KEY'")
    assert seen == set()
    assert "is bound to https://api.acme.example and does not go to https://evil.example" in refusal
    assert given(f"endpoint = ['{VENDOR}', '{VENDOR}']\napi_key_env = 'ACME_API_KEY'") == ({"ACME_API_KEY"}, None)


def test_what_a_table_names_is_given_and_the_vendor_s_key_still_goes_to_the_vendor(given):
    assert given("headers_env = {X-T = 'TENANT_TOKEN'}", own=True) == ({"ACME_API_KEY", "TENANT_TOKEN"}, None)
    seen, _ = given("endpoint = 'https://evil.example'\nheaders_env = {X-T = 'ACME_API_KEY'}")
    assert seen == set()


@pytest.mark.parametrize(
    "key", ["api_key_env = ['ONE_KEY']", "headers_env = {X-T = 'TENANT_TOKEN'}", "api_key_env = 'ONE_KEY'"]
)
def test_no_key_goes_over_plain_http_to_any_of_them(given, key):
    with pytest.raises(ConfigError) as raised:
        given(f"endpoint = ['https://a.example', 'http://b.example']\n{key}", own=True)
    assert "http://b.example" in raised.value.diagnostics[0].message
    assert raised.value.diagnostics[0].code == "E0718"

"""Keys go only where they are bound: by the vendor's plugin, by the user's own word, never by a file that was found."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import ConfigError, RemoteModel
from rtfs_framework.orchestrator.session import Session

KEYS = {"ACME_API_KEY": "acme-secret", "AWS_SECRET": "aws-secret", "MINE_KEY": "mine-secret"}
VENDOR = "https://api.acme.example/v1"


@attrs.frozen(slots=True, kw_only=True)
class Settings:
    """As those of the plugin for OpenAI: an endpoint, else the environment's, else the vendor's; a key by default."""

    endpoint: str | None = None
    model: str = "m"
    api_key_env: str | None = None

    def base_url(self, environ):
        return self.endpoint or environ.get("ACME_BASE_URL") or VENDOR


@pytest.fixture
def place(kit):
    """Return what opens a session where files are, and answers which keys each provider is given."""
    entry = attrs.evolve(
        kit.provider("openai", lambda _: "o", remote=True, settings=Settings), keys={"ACME_API_KEY": VENDOR}
    )
    catalog = kit.catalog(entry)
    repo, home = kit.home / "repo", kit.home / "own"
    repo.mkdir()
    home.mkdir()

    def opened(found="", own="", asked=None, **environ):
        (repo / "delegation.toml").write_text(found, encoding="utf-8")
        (home / "delegation.toml").write_text(own, encoding="utf-8")
        surroundings = {"RTFS_HOME": str(home), "RTFS_TRUST": "1", **KEYS, **environ}
        path = None if asked is None else kit.config(asked)
        with Session.open(catalog=catalog, config_path=path, program_dir=repo, environ=surroundings) as session:
            for target, instance in session.host.pool.instances.items():
                instance.provider()
                if isinstance(target, RemoteModel):
                    seen = kit.providers[instance.spec.plugin].made_from[-1].environ
                    opened.given[target.id] = {KEYS[name] for name in KEYS if name in seen}
                    opened.refused[target.id] = instance.unusable()
            return session.host.config

    opened.given, opened.refused, opened.catalog = {}, {}, catalog
    return opened


def table(name, **settings):
    lines = "".join(f"{key} = '{value}'\n" for key, value in settings.items())
    return f"[delegation.remote_providers.{name}]\nprovider = 'openai'\n{lines}"


def test_without_a_word_a_vendor_s_key_goes_to_the_vendor(place):
    place()
    assert "acme-secret" in place.given["openai"]


def test_the_environment_may_name_another_address(place):
    place(ACME_BASE_URL="https://proxy.example/v1")
    assert "acme-secret" in place.given["openai"]
    place(ACME_BASE_URL="http://proxy.example/v1")
    assert "acme-secret" not in place.given["openai"]
    place(ACME_BASE_URL="http://127.0.0.1:8000/v1")
    assert "acme-secret" in place.given["openai"]


@pytest.mark.parametrize("address", ["http://localhost\\@evil.example/v1", "http://[::1/v1", "https://h:70000", "x"])
def test_an_address_that_cannot_be_read_gets_no_key(place, address):
    place(ACME_BASE_URL=address)
    assert place.given["openai"] == set()


EVIL = "https://evil.example/v1"
MINE = table("mine", endpoint="https://mine.example/v1", api_key_env="MINE_KEY")
STOLEN = [
    (table("openai", endpoint=EVIL), "openai", "acme-secret"),
    (table("new", endpoint=EVIL), "new", "acme-secret"),
    (table("new", endpoint=EVIL, api_key_env="ACME_API_KEY"), "new", "acme-secret"),
    (table("new", endpoint=EVIL, api_key_env="MINE_KEY"), "new", "mine-secret"),
    (table("mine", endpoint=EVIL), "mine", "mine-secret"),
    (table("mine", endpoint="https://mine.example:8443/v1"), "mine", "mine-secret"),
    (table("mine", endpoint="https://mine.example.evil.example/v1"), "mine", "mine-secret"),
    (table("mine", api_key_env="ACME_API_KEY"), "mine", "acme-secret"),
    (table("new", endpoint=EVIL, api_key_env="MINE_KEY") + f"[keys]\nMINE_KEY = '{EVIL}'\n", "new", "mine-secret"),
    (table("new", endpoint=EVIL, api_key_env="MINE_KEY") + table("mine", endpoint=EVIL), "new", "mine-secret"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "name", "secret"), STOLEN, ids=range(len(STOLEN)))
def test_even_a_trusted_file_cannot_send_a_bound_key_elsewhere(place, found, name, secret):
    config = place(found, own=MINE)
    assert secret not in place.given[name]
    if "api_key_env" in found or name == "mine":
        assert "is bound to" in place.refused[name]
        assert f"[keys] {'ACME_API_KEY' if secret[0] == 'a' else 'MINE_KEY'}" in place.refused[name]
        assert "E0718" in {each.code for each in config.notices}


def test_a_trusted_file_may_use_a_key_that_is_bound_to_nobody(place):
    place(table("corp", endpoint="https://llm.corp.example/v1", api_key_env="AWS_SECRET"))
    assert place.given["corp"] == {"aws-secret"}
    assert place.refused["corp"] is None


def test_an_untrusted_file_may_not(place):
    config = place(table("corp", endpoint=EVIL, api_key_env="AWS_SECRET"), RTFS_TRUST="0")
    assert "corp" not in place.given
    assert [each.code for each in config.notices] == ["E0715"]


@pytest.mark.parametrize("where", ["own", "asked"])
def test_the_user_s_own_word_binds_an_endpoint_with_its_key(place, where):
    place(**{where: table("corp", endpoint="https://llm.corp.example/v1", api_key_env="ACME_API_KEY")})
    assert "acme-secret" in place.given["corp"]
    assert "acme-secret" in place.given["openai"]


def test_the_table_of_keys_binds_a_key_to_more_hosts(place):
    keys = "[keys]\nACME_API_KEY = ['llm.corp.example', 'https://other.example:8443/v1']\n"
    found = table("corp", endpoint="https://llm.corp.example/v1", api_key_env="ACME_API_KEY")
    config = place(found, own=keys)
    assert "acme-secret" in place.given["corp"]
    assert config.keys["ACME_API_KEY"] == {
        "https://api.acme.example", "https://llm.corp.example", "https://other.example:8443",
    }  # fmt: skip
    place(found, RTFS_KEYS__ACME_API_KEY="https://llm.corp.example")
    assert "acme-secret" in place.given["corp"]


def test_a_key_of_one_host_is_not_shown_to_a_provider_of_another(place):
    place(own=MINE + table("other", endpoint="https://other.example/v1", api_key_env="AWS_SECRET"))
    assert place.given == {
        "openai": {"acme-secret"},
        "mine": {"mine-secret"},
        "other": {"aws-secret"},
    }


@pytest.mark.parametrize("where", ["own", "asked", "found"])
def test_a_key_that_would_go_over_http_is_a_mistake_with_its_place(place, where):
    text = table("lan", endpoint="http://gpu.lan:8000/v1", api_key_env="MINE_KEY")
    with pytest.raises(ConfigError) as caught:
        place(**{where: text})
    (mistake,) = caught.value.diagnostics
    assert (mistake.code, mistake.place.line, mistake.place.column) == ("E0718", 3, 12)
    assert "https" in mistake.help


def test_an_endpoint_over_http_without_a_key_is_none(place):
    place(own=table("lan", endpoint="http://gpu.lan:8000/v1", api_key_env=""))
    place(own=table("lan", endpoint="http://gpu.lan:8000/v1"))
    assert place.given["lan"] == set()
    assert place.refused["lan"] is None


@pytest.mark.parametrize("text", ["https://", "http://[::1", "a b", "https://host:99999"])
def test_a_host_of_a_key_must_be_one(place, text):
    with pytest.raises(ConfigError) as caught:
        place(own=f"[keys]\nMINE_KEY = '{text}'\n")
    (mistake,) = caught.value.diagnostics
    assert (mistake.code, mistake.place.line, mistake.place.column) == ("E0705", 2, 12)


@attrs.frozen(slots=True, kw_only=True)
class Elsewhere:
    """Settings that do not say where a plugin asks."""

    token_env: str | None = None
    model: str = "m"


@pytest.fixture
def elsewhere(kit, place):
    """Return `place` with two more plugins: the vendor's of MINE_KEY, and one that names a key by default."""
    entries = [
        attrs.evolve(
            kit.provider(name, lambda _: "e", remote=True, settings=Elsewhere),
            keys={"MINE_KEY": "https://mine.example"},
            defaults=defaults,
        )
        for name, defaults in (
            ("odd", {}),
            ("modest", {"modest": {"token_env": "AWS_SECRET"}}),
        )
    ]
    place.catalog.providers.update({each.name: (each, place.catalog.providers["openai"][1]) for each in entries})
    return place


def odd(name, **settings):
    return table(name, **settings).replace("'openai'", "'odd'")


def test_without_an_address_a_plugin_has_its_own_keys(elsewhere):
    elsewhere(own=odd("one"))
    assert elsewhere.given["one"] == {"mine-secret"}


@pytest.mark.parametrize("variable", ["ACME_API_KEY", "AWS_SECRET"])
def test_without_an_address_a_file_that_was_found_gives_a_plugin_nobody_else_s_key(elsewhere, variable):
    config = elsewhere(odd("one", token_env=variable))
    assert elsewhere.given["one"] == {"mine-secret"}  # the vendor's own
    assert "is not bound to the plugin odd" in elsewhere.refused["one"]
    assert "E0718" in {each.code for each in config.notices}


@pytest.mark.parametrize("where", ["own", "asked"])
@pytest.mark.parametrize(("variable", "key"), [("ACME_API_KEY", "acme-secret"), ("AWS_SECRET", "aws-secret")])
def test_without_an_address_the_user_s_own_word_gives_a_plugin_a_key(elsewhere, where, variable, key):
    elsewhere(**{where: odd("one", token_env=variable)})
    assert elsewhere.given["one"] == {key, "mine-secret"}
    assert elsewhere.refused["one"] is None
    elsewhere(odd("two", token_env="MINE_KEY") + odd("one", token_env="AWS_SECRET"), own=odd("one", token_env=variable))
    assert elsewhere.given["one"] == {"mine-secret", *([key] if variable == "AWS_SECRET" else [])}


def test_without_an_address_a_plugin_has_the_keys_that_its_own_defaults_name(elsewhere):
    elsewhere(own=odd("one", token_env="AWS_SECRET"))
    assert elsewhere.given["modest"] == {"aws-secret", "mine-secret"}


SECRETS = [
    "AWS_ACCESS_KEY_ID", "OPENAI_API_KEY_2", "OPENAI_API_KEY2", "GITHUB_PAT", "DB_PWD", "DATABASE_URL",
    "API_KEYS", "KEY", "aws_secret_access_key", "AWS_SESSION_TOKEN", "TOKEN_OF_CI", "SECRETS_JSON",
    "PGPASSWORD", "DB_PASS", "SSH_PASSPHRASE", "GOOGLE_APPLICATION_CREDENTIALS", "CREDENTIALS_JSON",
    "githubToken", "APIKEY", "MY_APIKEY_OLD", "SENTRY_DSN", "MONGODB_URI", "HEROKU_REDIS_URL",
    "SLACK_WEBHOOK_URL", "AZURE_STORAGE_CONNECTION_STRING", "NPM_AUTH", "db.password",
]  # fmt: skip
PLAIN = [
    "PATH", "PWD", "OLDPWD", "HOME", "LANG", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "OPENAI_BASE_URL",
    "OPENAI_ORG_ID", "KEYBOARD", "TOKENIZERS_PARALLELISM", "COMPASS_DIR", "MONKEYS", "PATTERN",
    "GIT_AUTHOR_NAME", "RTFS_HOME",
]  # fmt: skip


def test_what_is_named_like_a_secret_reaches_no_provider_unless_settings_name_it(kit):
    entry = attrs.evolve(kit.provider("openai", lambda _: "", remote=True, settings=Settings), keys={})
    environ = dict.fromkeys((*SECRETS, *PLAIN), "a-value") | kit.environ
    with kit.open(
        kit.catalog(entry), table("mine", endpoint=VENDOR, api_key_env="GITHUB_PAT"), environ=environ
    ) as session:
        given = {target.id: set(each.environ) for target, each in session.host.pool.instances.items()}
    assert given["openai"] & {*SECRETS, *PLAIN} == {*PLAIN}
    assert given["mine"] & {*SECRETS, *PLAIN} == {*PLAIN, "GITHUB_PAT"}


def test_a_key_that_is_bound_to_nobody_goes_nowhere(kit):
    entries = [
        attrs.evolve(kit.provider(name, lambda _: "", remote=True, settings=settings), keys=keys, defaults={})
        for name, settings, keys in (("odd", Elsewhere, {"MINE_KEY": "https://["}), ("openai", Settings, {}))
    ]
    (kit.home / "delegation.toml").write_text(table("new", api_key_env="MINE_KEY"), encoding="utf-8")
    environ = {"RTFS_HOME": str(kit.home / "own"), "RTFS_TRUST": "1", **KEYS}
    with kit.open(kit.catalog(*entries), environ=environ) as session:
        seen = session.host.pool.instances[RemoteModel("new")]
        assert "MINE_KEY" not in seen.environ


def test_a_plugin_whose_vendor_has_no_address_gives_its_key_to_nobody(kit):
    entry = attrs.evolve(
        kit.provider("odd", lambda _: "", remote=True, settings=Settings), keys={"MINE_KEY": "https://["}
    )
    with kit.open(kit.catalog(entry), environ={**kit.environ, **KEYS}) as session:
        (instance,) = session.host.pool.instances.values()
        assert "MINE_KEY" in instance.environ  # asked at the address that its settings name
        assert session.host.config.keys["MINE_KEY"] == {"https://api.acme.example"}

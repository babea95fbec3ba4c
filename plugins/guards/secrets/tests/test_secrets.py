"""What is found and what is not, and what becomes of it."""

from __future__ import annotations

import re
from time import process_time

import pytest

from rtfs_framework.api import GuardedRequest, InferenceReply, RedactArgs, Refuse, RemoteModel
from rtfs_framework.registry import load_catalog
from rtfs_framework.testing.fakes import inference_request
from rtfs_guard_secrets.guard import SecretsGuard
from rtfs_guard_secrets.patterns import KNOWN
from rtfs_guard_secrets.settings import SecretsSettings

# Put together here, so that no scanner takes this file for a leak.
SECRETS = {
    "private key": "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    "OpenAI or Anthropic key": "sk-" + "proj-" + "a1B2" * 8,
    "AWS access key": "AKIA" + "ABCDEFGHIJKLMNOP",
    "GitHub token": "ghp_" + "a1B2" * 9,
    "GitLab token": "glpat-" + "a1B2" * 5,
    "Slack token": "xoxb-" + "1234567890-abcdef",
    "Stripe key": "sk_live_" + "a1B2" * 6,
    "Google key": "AIza" + "a1B2c" * 7,
    "Hugging Face token": "hf_" + "a1B2c" * 7,
    "npm token": "npm_" + "a1B2" * 9,
    "JSON web token": "eyJ" + "hbGciOiJIUzI1." + "eyJ" + "zdWIiOiIxMjM0." + "SflKxwRJSMeKKF2QT4",
    "password in an address": "postgres://me:" + "hunter2@db.example/x",
    "bearer token": "Authorization: Bearer " + "a1B2" * 8,
}
INNOCENT = [
    "ask-me-anything-about-the-weather-tomorrow", "sk-short", "a sk-8 road", "AKIA", "https://example.com/a@b",
    "d41d8cd98f00b204e9800998ecf8427e", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", "user@example.com",
    "authorization: required", "-----BEGIN CERTIFICATE-----", "gh_repo", "eyJ.eyJ.x", "",
]  # fmt: skip


def verdict(*args, **settings):
    guarded = GuardedRequest(target=RemoteModel("cloud"), request=inference_request(*args))
    return SecretsGuard(SecretsSettings(**settings)).check_request(guarded)


def test_every_pattern_has_its_example():
    assert set(SECRETS) == set(KNOWN)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_taken_out_and_the_rest_stays(name):
    found = verdict(f"before {SECRETS[name]} after", 7)
    assert isinstance(found, RedactArgs)
    text, number = found.args
    assert (text.startswith("before "), number) == (True, 7)
    assert f"[{name} removed]" in text
    assert name in found.note
    assert not any(part in text for part in re.findall(r"[A-Za-z0-9]{16,}", SECRETS[name]))


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_no_secret_passes(text):
    assert verdict(text) is None


def test_it_refuses_where_it_is_told_to():
    found = verdict(SECRETS["AWS access key"], (SECRETS["AWS access key"], SECRETS["npm token"]), action="refuse")
    assert found.reason == "the request holds AWS access key (2), npm token"


def test_replies_are_looked_at_unless_they_are_left_out():
    reply = InferenceReply(text=SECRETS["npm token"])
    guarded = GuardedRequest(target=RemoteModel("cloud"), request=inference_request("x"))
    assert SecretsGuard(SecretsSettings()).check_reply(guarded, reply).text == "[npm token removed]"
    assert SecretsGuard(SecretsSettings(replies=False)).check_reply(guarded, reply) is None
    assert isinstance(SecretsGuard(SecretsSettings(action="refuse")).check_reply(guarded, reply), Refuse)


def test_what_a_model_says_besides_its_answer_is_looked_at_too():
    guarded = GuardedRequest(target=RemoteModel("cloud"), request=inference_request("x"))
    reply = InferenceReply(text="yes", explanation=f"because of {SECRETS['npm token']}")
    found = SecretsGuard(SecretsSettings()).check_reply(guarded, reply)
    assert (found.text, found.note) == ("yes", "npm token")


def test_own_expressions_are_known_by_their_names():
    found = verdict("of EMP-123456", patterns={"employee number": "EMP-[0-9]{6}"})
    assert found.args == ("of [employee number removed]",)


@pytest.mark.parametrize("text", ["(", "a*", "x" * 501])
def test_an_expression_that_cannot_be_used_is_refused(text):
    with pytest.raises(ValueError, match="'patterns': the expression 'mine'"):
        SecretsSettings(patterns={"mine": text})


def test_long_texts_of_near_misses_cost_one_walk():
    """Twice the text takes about twice the time: no expression walks back and forth."""

    def seconds(size):
        text = ("sk-" + "a" * 19 + " eyJ" + "a" * 60 + ". x://a:b " + "-----BEGIN A PRIVATE KEY-----" + "b" * 40) * size
        began = process_time()
        verdict(text)
        return process_time() - began

    small = min(seconds(200) for _ in range(3))
    assert min(seconds(800) for _ in range(3)) < 16 * small + 0.05


def test_the_catalog_makes_it():
    catalog = load_catalog({"RTFS_PLUGINS": "secrets"})
    assert not catalog.problems
    entry = catalog.guard("secrets")
    assert entry.settings is SecretsSettings

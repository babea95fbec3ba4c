"""`[ledger] store`: a plug-in's ledger counts in place of the file, and one that breaks lets nothing pass."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import ConfigError, InferenceReply, LedgerEntry, LedgerError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.performing.budgets.sqlite_ledger import SqliteLedger

TEXT = """
(defn ^:delegation :local-model "near" f "Say." [x] : :string "own")
(defn main [x] (try (f x) (catch BudgetExhausted e (:message e))))
"""
BUDGET = "[budgets.day]\ncalls = 2\n"


@attrs.frozen
class Own:
    """Settings of a ledger."""

    word: str = "usual"
    password_env: str | None = None


@pytest.fixture
def shop(kit):
    """Return a function that runs calls under a ledger that a factory makes, and says what they gave."""

    def calls(factory, config, count=3, **environ):
        catalog = kit.catalog(kit.provider("near", lambda _: InferenceReply(text="hi"), remote=False))
        entry = LedgerEntry(name="mine", summary="", factory=factory, settings=Own)
        who = catalog.providers["near"][1]
        catalog = attrs.evolve(catalog, ledgers={"mine": (entry, who)})
        with (
            kit.open(catalog, config + BUDGET, environ={**kit.environ, **environ}) as session,
            session.load(Source("test.rtfs", TEXT)) as program,
        ):
            return [program.call("main", (str(number),)).value for number in range(count)]

    return calls


def test_it_counts_in_place_of_the_file(shop, kit):
    made = []

    def factory(settings):
        made.append(settings)
        return SqliteLedger(kit.home / "mine.sqlite", settings.clock)

    config = '[ledger]\nstore = "mine"\n[ledgers.mine]\nword = "other"\npassword_env = "P"\n'
    first, second, third = shop(factory, config, P="s3cret", Q="no")
    assert (first, second) == ("hi", "hi")
    assert "2 calls" in third
    assert made[0].own == Own("other", "P")
    assert made[0].environ == {"P": "s3cret"}
    assert not (kit.home / "ledger.sqlite").exists()


class Broken:
    """Every method fails in its own way."""

    def __getattr__(self, name):
        if name == "close":
            return lambda: None

        def fail(*_given):
            raise ZeroDivisionError("oh")

        return fail


def refuse(_settings):
    raise LedgerError("it is closed on Sundays")


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (lambda _: Broken(), "the ledger 'mine' failed: ZeroDivisionError"),
        (lambda _: 1 // 0, "ZeroDivisionError"),
        (refuse, "closed on Sundays"),
        (lambda _: None, "has no `reserve`"),
    ],
)
def test_one_that_breaks_lets_nothing_pass(shop, kit, factory, words):
    (told,) = shop(factory, '[ledger]\nstore = "mine"\n', count=1)
    assert "the ledger of budgets cannot be used" in told
    assert words in told
    assert kit.providers["near"].requests == []


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('[ledger]\nstore = "mien"\n', ("E0706", "no ledger is called 'mien'", "delegation.toml:2:9")),
        ("[ledgers.mien]\n", ("E0706", "no ledger is called 'mien'", "delegation.toml:1:10")),
        ("[ledgers.mine]\nwrod = 1\n", ("E0702", "wrod", "delegation.toml:2:1", "word")),
        ("[ledgers.mine]\nword = 1\n", ("E0703", "word", "delegation.toml:2:8")),
    ],
)
def test_what_is_wrong_is_told_with_its_place(shop, config, words):
    with pytest.raises(ConfigError) as raised:
        shop(lambda settings: SqliteLedger(None, settings.clock), config)
    for word in words:
        assert word in str(raised.value)

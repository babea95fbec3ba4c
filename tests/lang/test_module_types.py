"""Types that modules name: whoever imports a module may use its types under the names of its definitions."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import LanguageError, ProgramError
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source

MODULES = {
    "shop.item": """(module shop.item (:exports [Item Id price])
                      (defstruct Item :price int)
                      (deftype Id [:and :int [:> 0]])
                      (defn price [i : Item] (:price i)))""",
    "shop.other": """(module shop.other (:exports [Item name-of Pair])
                       (defn name-of [i : Item?] (:name i))
                       (defstruct Item :name string)
                       (deftype Pair [:tuple Item Item]))""",
}


def find_module(name):
    return Source(f"{name}.rtfs", MODULES[name]) if name in MODULES else None


def result(text):
    try:
        return write(PureHost().finish(Instance(compile_source(text, find_module=find_module)).start()))
    except (LanguageError, ProgramError) as error:
        return str(error)


BOTH = "(import shop.item :as a) (import shop.other :as b)"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f'{BOTH} [(a/price (a/Item {{:price 1}})) (b/name-of {{:name "n"}})]', '[1 "n"]'),
        (f'{BOTH} (defn f [i : a/Item j : b/Item] [i j]) (f {{:price 1}} {{:name "n"}})', '[{:price 1} {:name "n"}]'),
        (f"{BOTH} (b/name-of nil)", "nil"),
        (f"{BOTH} (defn f [i : a/Item?] i) (f nil)", "nil"),
        (f"{BOTH} (defn f [i : [:vector a/Id]] i) (f [1 2])", "[1 2]"),
        ("(import shop.item) (defn f [i : shop.item/Id] i) (f 5)", "5"),
        ("(import shop.item :only [Id]) (defn f [i : Id] i) (f 5)", "5"),
        ("(import shop.item :as a) [(validate a/Id 5) (validate a/Id -5)]", "[true false]"),
        (f'{BOTH} (map (fn [t] (validate t {{:name "n"}})) [a/Item b/Item b/Pair])', "[false true false]"),
        (
            "(import shop.other :as b) (defstruct Item :x int) [(validate Item {:x 1}) (validate b/Item {:x 1})]",
            "[true false]",
        ),
        ('(import shop.item :as a) (deftype Id :string) (defn f [i : a/Id j : Id] [i j]) (f 5 "x")', '[5 "x"]'),
    ],
)
def test_a_type_is_found_under_its_name(text, value):
    assert result(text) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{BOTH} (b/name-of {{:price 1}})", "Missing required key :name"),
        (f"{BOTH} (a/price {{:name 1}})", "Missing required key :price"),
        (f'{BOTH} (defn f [i : b/Pair] i) (f [{{:name "a"}} {{:price 1}}])', "Missing required key :name at [1]"),
        ("(import shop.item :as a) (defn f [i : a/Id] i) (f -1)", "[:> 0] failed for value -1"),
        ("(import shop.item :as a) (defn f [i : a/Idd] i) (f -1)", "a/Idd is not a known type"),
    ],
)
def test_the_module_s_own_type_decides(text, words):
    assert words in result(text)

"""Swapped words: where two texts are the same but for a word or two, those must be known to mean the same.

The other gates know kinds of words; here a word of any kind counts: 'peter' and 'paula', 'cats' and 'dogs'. Two forms
of one word, a slip of the pen in a longer one, and the groups below are the same. A word more on one side alone is no
swap; the model of P(same answer) sees it.
"""

from __future__ import annotations

from difflib import SequenceMatcher

from rtfs_cache_similar.gates.seen import FUNCTION_WORDS, Seen, stem

_GROUPS = """
best/good/great/top/better/nice/right fast/quick/quickly/rapidly/easily/easiest/soon/quickest
make/earn/create/get/do/generate
learn/study/master/improve/understand improve/increase/enhance/develop/boost/better find/get/know/identify/discover
start/begin/commence job/work/career/employment/profession buy/purchase/get fix/repair/solve/resolve
stop/quit/overcome/control/avoid/rid
way/method/step/approach/tip/thing/idea/option/technique/trick reason/cause/why mean/meaning/definition/define/signify
difference/differ/different/distinguish compare/comparison/difference
important/significant/essential/main/key/importance
movie/film picture/photo/image/pic phone/mobile/cellphone/smartphone car/vehicle/automobile kid/child/children
people/person/someone/human/man/everyone/anyone
think/feel/opinion/view/believe happen/occur/would world/earth/globe country/nation big/large/huge/biggest/largest
small/little/tiny
use/utilize/need/apply want/wish/need/like/desire tell/say/explain/describe/know show/display site/website/webpage
page/website
college/university/school student/learner company/firm/business/organization startup/business book/novel/read
exam/test/examination
prepare/preparation/crack/study/clear pass/clear/crack lose/reduce/shed/drop weight/fat/belly
delete/remove/erase/deactivate
account/profile message/text/sms recover/reset/retrieve/restore password/passcode hack/crack handle/manage/deal/cope
dream/nightmare girl/girlfriend boy/boyfriend love/relationship happy/happiness sad/depressed depression/depressed
money/cash/income/online purpose/meaning/point/goal life/living live/stay/survive die/dead/death
effect/impact/affect/influence/consequence
benefit/advantage/pro disadvantage/con/drawback program/programming/code/coding software/app/application/program
laptop/computer/pc/notebook
language/languages beginner/newbie/novice/start speak/talk speaking/spoken english/fluent become/be/get
true/real/really/actually
possible/can/able place/location/spot visit/see/travel/go trip/travel/tour/vacation/holiday food/dish/meal
cook/make/prepare
cost/price/charge/fee/expensive much/cost/long answer/reply/respond/question ask/question join/enter/get
get/obtain/gain/have/receive/acquire/achieve
choose/select/pick/decide begin/start/beginning end/finish/complete difficult/hard/tough easy/simple
common/popular/famous/typical
new/latest/recent old/aged age/old doctor/physician remedy/treatment/cure treat/cure/heal pain/ache/hurt
look/seem/appear
interesting/fun/amazing/awesome/cool favorite/favourite/best worst/bad/terrible war/conflict note/banknote/currency
ban/demonetize/demonetization
color/colour center/centre theater/theatre behavior/behaviour flavor/flavour program/programme catalog/catalogue
organise/organize someone/somebody/you/one/person/people/everyone/anyone/u weed/cannabis/marijuana
see/seen/watch/view saw/see fell/fall add/include/insert film/movie/flick hobby/pastime buy/bought/purchase
videogame/game fulfil/fulfilling/satisfying/satisfied beautiful/pretty/lovely huge/enormous/giant ill/sick
start/started/begin/began answer/solution
"""


def _same_words() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for group in _GROUPS.split():
        stems = {stem(word) for word in group.split("/")}
        for each in stems:
            found.setdefault(each, set()).update(stems)
    return {word: frozenset(others) for word, others in found.items()}


SAME = _same_words()
_MOST = 2
"""Words on the shorter side up to which texts count as the same but for those."""
_ARTICLES = frozenset(["a", "an", "the"])
_LONG = 5
_ALIKE = 0.84


def gate(first: Seen, second: Seen) -> str | None:
    """Close where the texts are the same, word by word in their order, but for a word that stands for another."""
    mine, others = ([each for each in text.words if each not in _ARTICLES] for text in (first, second))
    if len(mine) != len(others):
        return None
    differ = [(one, other) for one, other in zip(mine, others, strict=True) if stem(one) != stem(other)]
    if not 0 < len(differ) <= min(_MOST, len(mine) - 1):
        return None
    for one, other in differ:
        if not same(stem(one), stem(other)) and not {one, other} <= FUNCTION_WORDS:
            return f"swapped: '{one}' and '{other}'"
    return None


def same(word: str, other: str) -> bool:
    """Tell whether two stems are one word, nearly one, or in one of the groups."""
    if other in SAME.get(word, ()):
        return True
    least = min(len(word), len(other))
    if least >= _LONG and word[0] == other[0] and word.isalpha() and other.isalpha():
        return SequenceMatcher(None, word, other, autojunk=False).ratio() >= _ALIKE
    return False

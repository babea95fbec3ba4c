"""Opposites: on and off, before and after, buy and sell. A word whose opposite stands in the other text closes."""

from __future__ import annotations

from rtfs_cache_similar.gates.seen import Seen, stem

_TEXT = """
on/off enable/disable enabled/disabled activate/deactivate open/close open/shut opened/closed start/stop begin/end
start/finish
start/end begin/finish increase/decrease increase/reduce increase/lower raise/lower raise/cut rise/fall grow/shrink
gain/lose
up/down upper/lower upward/downward upload/download upgrade/downgrade above/below over/under before/after
prior/following
earlier/later early/late first/last next/previous next/last old/new older/newer young/old ancient/modern past/future
buy/sell bought/sold lend/borrow give/take give/receive send/receive send/get import/export deposit/withdraw
credit/debit pay/charge
push/pull add/remove add/delete add/subtract create/delete create/destroy insert/delete insert/remove
install/uninstall
install/remove mount/unmount lock/unlock load/unload pack/unpack zip/unzip compress/decompress compress/extract
encrypt/decrypt encode/decode attach/detach connect/disconnect link/unlink subscribe/unsubscribe follow/unfollow
show/hide visible/hidden allow/deny allow/block allow/forbid permit/deny permit/forbid accept/reject accept/decline
approve/reject approve/deny grant/revoke
grant/deny include/exclude internal/external inside/outside inner/outer in/out indoor/outdoor indoors/outdoors
import/export
input/output income/expense income/outcome profit/loss win/lose winner/loser winners/losers success/failure
succeed/fail pass/fail
true/false yes/no right/wrong right/left correct/incorrect good/bad better/worse best/worst positive/negative
pro/con pros/cons advantage/disadvantage advantages/disadvantages benefit/risk benefits/risks benefits/drawbacks
strength/weakness
strengths/weaknesses strong/weak hot/cold warm/cool heat/cool heating/cooling freeze/melt freezing/boiling wet/dry
high/low
tall/short long/short wide/narrow thick/thin big/small large/small huge/tiny heavy/light deep/shallow fast/slow
quick/slow quickly/slowly
fastest/slowest speed/slow accelerate/brake easy/hard easy/difficult easiest/hardest simple/complex cheap/expensive
cheapest/expensive rich/poor full/empty
fill/empty light/dark day/night bright/dim white/black loud/quiet hard/soft rough/smooth clean/dirty safe/dangerous
male/female man/woman men/women boy/girl boys/girls husband/wife father/mother son/daughter brother/sister uncle/aunt
king/queen
he/she his/her him/her guy/girl guys/girls mom/dad parent/child parents/children teacher/student employer/employee
doctor/patient
buyer/seller landlord/tenant client/server host/guest master/slave master/replica read/write sender/receiver
sender/recipient
lender/borrower plaintiff/defendant attack/defend attack/defense north/south east/west northern/southern
eastern/western
left/right top/bottom front/back forward/backward forwards/backwards ascending/descending horizontal/vertical
clockwise/counterclockwise
clockwise/anticlockwise plus/minus multiply/divide maximum/minimum max/min maximize/minimize maximise/minimise
most/least more/less more/fewer many/few
always/never everyone/nobody everything/nothing all/none love/hate like/dislike like/hate happy/sad friend/enemy
peace/war
alive/dead life/death live/die born/die birth/death marry/divorce hire/fire join/leave enter/leave enter/exit
login/logout arrive/depart
arrival/departure come/go coming/going remember/forget save/delete save/spend save/load earn/spend public/private
local/remote
local/global online/offline manual/automatic manually/automatically static/dynamic sync/async synchronous/asynchronous
serial/parallel
temporary/permanent legal/illegal guilty/innocent legal/criminal strict/lenient domestic/foreign
domestic/international natural/artificial
healthy/sick healthy/unhealthy gross/net fixed/variable odd/even even/odd prime/composite lossy/lossless
wired/wireless free/paid
single/married introvert/extrovert optimist/pessimist theory/practice question/answer ask/answer teach/learn
cause/prevent
cause/cure cause/effect causes/effects symptoms/causes symptoms/treatment acid/base acidic/alkaline liquid/solid
gas/liquid
conservative/liberal democrat/republican democrats/republicans left/right capitalism/communism capitalism/socialism
vegan/meat
senior/junior major/minor majority/minority broad/narrow with/without for/against mute/unmute pause/resume
freeze/unfreeze block/unblock
expand/collapse merge/split minimum/maximum ancestor/descendant parent/children supply/demand import/exports
lead/follow
hello/goodbye rise/set sunrise/sunset morning/evening morning/night am/pm absent/present presence/absence
optional/required
optional/mandatory voluntary/mandatory exit/entry entrance/exit take/leave takeoff/landing land/takeoff launch/land
sit/stand
wake/sleep asleep/awake sober/drunk tighten/loosen tight/loose sharp/dull sharp/blunt bitter/sweet sweet/sour
fresh/stale raw/cooked
import/export wax/wane absorb/emit attract/repel ally/enemy arrest/release capture/release inhale/exhale swallow/spit
bull/bear
bullish/bearish long/short overweight/underweight inflate/deflate inflation/deflation surplus/deficit asset/liability
assets/liabilities debtor/creditor revenue/cost revenue/expenses acquire/divest promote/demote praise/criticize
blame/forgive
accept/refuse admit/deny agree/disagree appear/disappear appear/vanish arise/vanish build/demolish build/destroy
construct/demolish
confirm/cancel confirm/deny book/cancel catch/throw cheer/boo commit/rollback commit/revert lossless/lossy float/sink
hit/miss
ingress/egress inbound/outbound incoming/outgoing upstream/downstream superior/inferior prefix/suffix head/tail
push/pop
enqueue/dequeue producer/consumer publisher/subscriber major/minor primary/secondary primary/replica
whitelist/blacklist allowlist/denylist
opt-in/opt-out tls/plaintext mutable/immutable signed/unsigned verify/forge bind/unbind register/unregister
register/deregister shut/open
turn/stop switch/stop dirty/clean empty/full near/far close/far nearest/farthest closest/farthest here/there
nearby/distant
"""


def _pairs() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in _TEXT.split():
        one, _, other = pair.partition("/")
        for mine, opposite in ((one, other), (other, one)):
            found.setdefault(mine, set()).add(opposite)
            found.setdefault(stem(mine), set()).add(stem(opposite))
    return {word: frozenset(opposites) for word, opposites in found.items()}


OPPOSITES = _pairs()


def gate(first: Seen, second: Seen) -> str | None:
    """Close where one text has a word that the other lacks, and the other its opposite."""
    for mine, other in ((first, second), (second, first)):
        words, stems = other.vocabulary, other.roots
        for word, root in zip(mine.words, mine.stems, strict=True):
            if word in words or root in stems:
                continue
            against = (OPPOSITES.get(word, frozenset()) & words) or (OPPOSITES.get(root, frozenset()) & stems)
            if against:
                return f"opposites: '{word}' and '{min(against)}'"
    return None

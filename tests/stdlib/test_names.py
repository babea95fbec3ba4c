"""The names of the standard library as it was promised, and how many arguments each takes."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel import effects
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.prelude import PRELUDE
from rtfs_framework.stdlib.library import BUILTINS

assert effects.call  # its import enters the names of the host
PROMISED = {
    (0, 0): "current-time-millis current-timestamp generate-uuid tool.time-ms tool/time-ms",
    (0, None): "* + and comp concat from-char-code hash-map interleave list or pr-str println str vector",
    (1, 1): """
        abs average avg base64-decode base64-encode blank? bool? boolean boolean? butlast capitalize ceil char-code
        chars
        complement constantly context/get cos count dec dedupe distinct empty empty? even? ex-data exp factorial
        ffirst file-exists? first flatten float float? floor fn? frequencies get-env getMessage hash http-fetch
        identity inc int int? integer? keys key keyword? last len length list? load-capability map? median memoize
        neg? next
        nil? not number? odd? parse-bool parse-double parse-float parse-int parse-json parse-long parse-timestamp
        pos? process-data
        read-file reduced reduced? rest reverse reverse-string second seq? serialize-json serialize-json-pretty set
        sin split-lines
        sqrt string-length string-lower string-p string-trim string-upper string? sum symbol? thread/sleep throw
        title tool/http-fetch tool/open-file tool/parse-json tool/serialize-json tool/serialize-json-pretty trim
        triml trimr truncate type-name type-of url-encode uuid-from-seed val vals vector? zero?
    """,
    (1, 2): "drop-last log parse-csv round sort",
    (1, 3): "range",
    (1, None): "- / = Exception. call distinct? format juxt max merge merge-with min partial tool.log tool/log zip",
    (2, 2): """
        != bit-shift-left ccos.context/set compare conform cons contains? context/set count-by cycle dissoc-in drop
        drop-while ends-with? every? explain-type filter find group-by has-key? index-by instance? interpose into
        join keep
        keep-indexed last-index-of map-indexed map-keys map-vals mod not-any? not-every? not= nthrest numbers
        partition-by postwalk pow prewalk quot re-find re-groups re-matches re-seq rem remove rename-keys repeat
        repeat-string select-keys some some? split split-at split-with starts-with? string-contains string-contains?
        string-join take take-last take-while timestamp-format validate zipmap
    """,
    (2, 3): """
        ex-info get get-in index-of nth pad-left pad-right partition partition-all reduce reductions sort-by
        subs substring subvec timestamp-diff
    """,
    (2, None): "< <= > >= apply bit-and bit-or bit-xor conj dissoc fnil kv/conj! kv/dissoc! map mapcat max-key min-key",
    (3, 3): "assoc-in clamp iterate reduce-kv replace replace-first timestamp-add tree-seq walk",
    (3, None): "assoc kv/assoc! update update-in",
}


@pytest.mark.parametrize(("low", "high"), PROMISED)
def test_a_name_is_there_and_takes_as_many_arguments(low, high):
    library = {**PRELUDE, **BUILTINS, **HOST}
    names = PROMISED[low, high].split()
    found = {name: (library[name].low, library[name].high) for name in names if name in library}
    assert found == dict.fromkeys(names, (low, high))

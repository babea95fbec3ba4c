"""Types of the library's functions, as type expressions: what arguments each takes and what it gives.

Only what is certain stands here: an argument outside its type makes the function fail whatever the others are, and a
result is always of the type given (`tests/stdlib/test_signatures.py` calls every function with values of every kind).
A union of functions lists the ways in which one may be called. Functions without an entry take what they take.
"""

from __future__ import annotations

_ANY = ":any"
_INT, _FLOAT, _STRING, _BOOL, _KEYWORD = ":int", ":float", ":string", ":bool", ":keyword"
_NUMBER = "[:union :int :float]"
_VECTOR, _SET, _MAP, _FN = "[:vector :any]", "[:set :any]", "[:map-of :any :any]", "[:fn [& :any] :any]"
_LIST = "[:list :any]"
"""Lists; as a type it takes vectors too."""
_CALLABLE = f"[:union {_FN} :keyword {_MAP} {_SET} {_VECTOR}]"
_ITEMS = f"[:union {_LIST} {_SET}]"
_SEQUENCE = f"[:union {_LIST} {_SET} :string]"
_COLLECTION = f"[:union {_LIST} {_SET} :string {_MAP}]"
_LIKE = f"[:union {_LIST} :string]"
_NAMED = "[:union :keyword :string :symbol]"


def _fn(parameters: str, result: str) -> str:
    return f"[:fn [{parameters}] {result}]"


def _optional(type_: str) -> str:
    return f"[:optional {type_}]"


def _either(*functions: str) -> str:
    return f"[:union {' '.join(functions)}]"


_ORDER = _either(*(_fn(f"{each} {each} & {each}", _BOOL) for each in (_NUMBER, _STRING)))

_FAMILIES: tuple[tuple[str, str], ...] = (
    # numbers
    ("+ *", _fn(f"& {_NUMBER}", _NUMBER)),
    ("- / max min", _fn(f"{_NUMBER} & {_NUMBER}", _NUMBER)),
    ("mod quot rem", _fn(f"{_NUMBER} {_NUMBER}", _NUMBER)),
    ("inc dec abs", _fn(_NUMBER, _NUMBER)),
    ("sqrt exp sin cos", _fn(_NUMBER, _FLOAT)),
    ("even? odd? zero? pos? neg? nan? infinite?", _fn(_NUMBER, _BOOL)),
    ("floor ceil truncate", _fn(_NUMBER, _NUMBER)),
    ("clamp", _fn(f"{_NUMBER} {_NUMBER} {_NUMBER}", _NUMBER)),
    ("sum average median", _fn(_ITEMS, _NUMBER)),
    ("parse-int", _fn(_ANY, _optional(_INT))),
    ("parse-float", _fn(_ANY, _optional(_FLOAT))),
    ("parse-bool", _fn(_ANY, _optional(_BOOL))),
    # comparison and predicates
    ("=", _fn(f"{_ANY} & {_ANY}", _BOOL)),
    ("!=", _fn(f"{_ANY} {_ANY}", _BOOL)),
    ("< > <= >=", _ORDER),
    ("compare", _fn(f"{_ANY} {_ANY}", _INT)),
    ("not", _fn(_ANY, _BOOL)),
    (
        "nil? bool? true? false? int? float? number? string? keyword? symbol? timestamp? uuid? resource?",
        _fn(_ANY, _BOOL),
    ),
    ("vector? list? map? set? fn? seq? coll? error? empty?", _fn(_ANY, _BOOL)),
    ("type-name", _fn(_ANY, _STRING)),
    ("type-of", _fn(_ANY, _KEYWORD)),
    # strings
    ("str", _fn(f"& {_ANY}", _STRING)),
    ("string-length", _fn(_STRING, _INT)),
    ("string-contains", _fn(f"{_STRING} {_STRING}", _BOOL)),
    ("starts-with? ends-with?", _fn(f"{_optional(_STRING)} {_STRING}", _BOOL)),
    ("split", _fn(f"{_optional(_STRING)} {_STRING}", _VECTOR)),
    ("split-lines chars", _fn(_STRING, _VECTOR)),
    ("join", _fn(f"{_STRING} {_ITEMS}", _STRING)),
    ("string-upper string-lower string-trim triml trimr capitalize title reverse-string", _fn(_STRING, _STRING)),
    ("blank?", _fn(_optional(_STRING), _BOOL)),
    ("replace replace-first re-replace", _fn(f"{_STRING} {_STRING} {_STRING}", _STRING)),
    ("char-code", _fn(_STRING, _INT)),
    ("from-char-code", _fn(f"& {_INT}", _STRING)),
    ("symbol", _fn(_NAMED, ":symbol")),
    ("name", _fn(_NAMED, _STRING)),
    ("namespace", _fn("[:union :keyword :symbol]", _optional(_STRING))),
    ("format", _fn(f"{_STRING} & {_ANY}", _STRING)),
    ("re-matches re-find", _fn(f"{_STRING} {_STRING}", _optional(_STRING))),
    ("re-groups", _fn(f"{_STRING} {_STRING}", _optional(_VECTOR))),
    ("re-seq re-split", _fn(f"{_STRING} {_STRING}", _VECTOR)),
    # sequences
    ("first second ffirst last", _fn(_SEQUENCE, _ANY)),
    ("rest butlast", _fn(_SEQUENCE, _LIKE)),
    ("next", _fn(_SEQUENCE, _optional(_LIKE))),
    ("take drop take-last", _fn(f"{_INT} {_SEQUENCE}", _LIKE)),
    ("nthrest", _fn(f"{_SEQUENCE} {_INT}", _LIKE)),
    ("split-at", _fn(f"{_INT} {_SEQUENCE}", _VECTOR)),
    ("peek", _fn(_ITEMS, _ANY)),
    ("vector", _fn(f"& {_ANY}", _VECTOR)),
    ("list", _fn(f"& {_ANY}", _LIST)),
    ("hash-set", _fn(f"& {_ANY}", _SET)),
    ("count length", _fn(_COLLECTION, _INT)),
    ("seq", _fn(_optional(_COLLECTION), _optional(_VECTOR))),
    ("vec", _fn(_optional(_COLLECTION), _VECTOR)),
    ("set", _fn(_optional(_COLLECTION), _SET)),
    ("cons", _fn(f"{_ANY} {_optional(_ITEMS)}", _LIST)),
    ("contains?", _fn(f"{_COLLECTION} {_ANY}", _BOOL)),
    ("concat", _fn(f"& {_optional(_SEQUENCE)}", _VECTOR)),
    ("repeat", _fn(f"{_INT} {_ANY}", _VECTOR)),
    ("cycle", _fn(f"{_INT} {_SEQUENCE}", _VECTOR)),
    ("interpose", _fn(f"{_ANY} {_SEQUENCE}", _VECTOR)),
    ("flatten", _fn(_ITEMS, _VECTOR)),
    ("zip", _fn(f"{_SEQUENCE} & {_SEQUENCE}", _VECTOR)),
    ("reverse distinct dedupe", _fn(_SEQUENCE, _LIKE)),
    ("union", _fn(f"& {_ITEMS}", _SET)),
    ("intersection difference", _fn(f"{_ITEMS} & {_ITEMS}", _SET)),
    ("subset? superset?", _fn(f"{_ITEMS} {_ITEMS}", _BOOL)),
    ("disj", _fn(f"{_SET} & {_ANY}", _SET)),
    # functions over sequences
    ("map mapv mapcat", _fn(f"{_CALLABLE} {_SEQUENCE} & {_SEQUENCE}", _VECTOR)),
    ("map-indexed filterv keep keep-indexed split-with partition-by", _fn(f"{_CALLABLE} {_SEQUENCE}", _VECTOR)),
    ("filter remove take-while drop-while distinct-by", _fn(f"{_CALLABLE} {_SEQUENCE}", _LIKE)),
    ("every? not-every? some? not-any?", _fn(f"{_CALLABLE} {_SEQUENCE}", _BOOL)),
    ("some", _fn(f"{_CALLABLE} {_SEQUENCE}", _ANY)),
    ("index-by count-by", _fn(f"{_CALLABLE} {_SEQUENCE}", _MAP)),
    ("frequencies", _fn(_SEQUENCE, _MAP)),
    ("reduce", _either(_fn(f"{_CALLABLE} {_SEQUENCE}", _ANY), _fn(f"{_CALLABLE} {_ANY} {_SEQUENCE}", _ANY))),
    # maps
    ("hash-map", _fn(f"& {_ANY}", _MAP)),
    ("dissoc", _fn(f"{_MAP} {_ANY} & {_ANY}", _MAP)),
    ("merge deep-merge", _fn(f"{_optional(_MAP)} & {_optional(_MAP)}", _MAP)),
    ("keys vals", _fn(_MAP, _VECTOR)),
    ("find", _fn(f"{_MAP} {_ANY}", _optional(_VECTOR))),
    ("select-keys", _fn(f"{_MAP} {_ITEMS}", _MAP)),
    ("rename-keys", _fn(f"{_MAP} {_MAP}", _MAP)),
    ("zipmap", _fn(f"{_ITEMS} {_ITEMS}", _MAP)),
    ("map-vals map-keys", _fn(f"{_CALLABLE} {_MAP}", _MAP)),
    ("update-vals update-keys", _fn(f"{_MAP} {_CALLABLE}", _MAP)),
    # functions, text formats, bits, time
    ("constantly complement memoize", _fn(_ANY, _FN)),
    ("serialize-json serialize-json-pretty", _fn(_ANY, _STRING)),
    ("parse-json", _fn(_STRING, _ANY)),
    ("url-encode url-decode base64-encode base64-decode sha256", _fn(_STRING, _STRING)),
    ("bit-and bit-or bit-xor", _fn(f"{_INT} {_INT} & {_INT}", _INT)),
    ("bit-not bit-count", _fn(_INT, _INT)),
    ("bit-shift-left bit-shift-right", _fn(f"{_INT} {_INT}", _INT)),
    ("bit-test", _fn(f"{_INT} {_INT}", _BOOL)),
    ("ex-message getMessage", _fn(_ANY, _STRING)),
    ("read-file throw", _fn(_ANY, ":never")),
)

TYPES: dict[str, str] = {name: types for names, types in _FAMILIES for name in names.split()}
"""Name to type expression; aliases have the type of what they stand for."""

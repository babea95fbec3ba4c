"""E0101 to E0116: texts that cannot be read."""

from __future__ import annotations

from rtfs_framework.lang.codes.record import enter

enter(
    "E0101",
    "a form is not complete",
    "A bracket is never closed, a closing bracket or the end stands where a form is expected, or one form was expected "
    "and there are more. The report names the bracket that is still open, and what would close it.",
    "(+ 1 2",
    "(+ 1 2)",
)
enter(
    "E0102",
    "a string is never closed",
    'A string ends at the next " that no backslash stands before. Strings may span lines, so the rest of the program '
    "was read as part of this one.",
    '(str "a)',
    '(str "a")',
)
enter(
    "E0103",
    "a block comment is never closed",
    "#| starts a comment and |# ends it. They nest, so every #| needs its own |#.",
    "#| outer #| inner |# 1",
    "#| outer #| inner |# |# 1",
)
enter(
    "E0104",
    "not a name, number or keyword",
    "Names are made of ASCII letters, digits and _-+*/=<>!?.$% and do not start with a digit. A keyword is a colon and "
    "a name. A lone colon stands only before a type, & only before the last parameter, and @ only before a name.",
    "(def größe 1)",
    "(def size 1)",
)
enter(
    "E0105",
    "not a number",
    "Integers are decimal digits with an optional sign, floats have digits on both sides of the point and an optional "
    "exponent. A name may not start with a digit. ##Inf, ##-Inf and ##NaN are the special floats.",
    "(+ 1 2px)",
    "(+ 1 2)",
)
enter(
    "E0106",
    "unknown escape in a string",
    r"The escapes are \n \t \r \\ \" \uXXXX and \u{X...}. Write a backslash as \\, in regular expressions too.",
    r'(re-matches "\d+" "42")',
    r'(re-matches "\\d+" "42")',
)
enter(
    "E0107",
    "nested too deeply",
    "Programs nest at most 200 levels of brackets unless the host says otherwise (--max-nesting, or nesting in "
    "[limits] of delegation.toml, up to 1,000), and what macros make of them only as deep as can be compiled. Give "
    "inner parts a name with let or defn.",
)
enter(
    "E0108",
    "a key without a value",
    "A map is written as keys and values in turn, so it has an even number of forms.",
    "{:name}",
    '{:name "Ada"}',
)
enter(
    "E0109",
    "a bracket closes the wrong one, or none",
    "( ) and [ ] and { } close each other. The report names both ends.",
    "(let [a 1) a]",
    "(let [a 1] a)",
)
enter(
    "E0110",
    "a delegation hint without a usable target",
    'After ^:delegation comes :local, :local-model "id", :remote "id" or {:target "id"}; the id is a string that is '
    "not empty.",
    "(defn ^:delegation :remote f [x] x)",
    '(defn ^:delegation :remote "openai" f [x] x)',
)
enter(
    "E0111",
    "two delegation hints",
    "A function runs in one place: keep one hint.",
    '(defn ^:delegation :local f ^:delegation :remote "m" [x] x)',
    '(defn ^:delegation :remote "m" f [x] x)',
)
enter(
    "E0112",
    "a delegation hint before nothing",
    "A hint stands before the name or the parameters of the function that it is about.",
    "(f ^:delegation :local)",
    "(defn ^:delegation :local f [x] x)",
)
enter(
    "E0113",
    "a delegation hint outside fn and defn",
    "Only functions are delegated: the hint stands in fn or defn, before or after the name.",
    "(+ ^:delegation :local 1 2)",
    "(defn ^:delegation :local f [x] (+ x 2))",
)
enter(
    "E0115",
    "a quasiquote outside a macro",
    "` ~ and ~@ build the forms that a macro returns; elsewhere, quote data with '.",
    "`(a b)",
    "'(a b)",
)
enter(
    "E0116",
    "a number out of range",
    "Floats have 64 bits: none is beyond 1.7976931348623157e308. Infinity is written ##Inf or ##-Inf. Integers have no "
    "bounds, but one of more than 4,000 digits is not written out: compute it, as in (pow 10 5000).",
    "(* 2 1e999)",
    "(* 2 ##Inf)",
)

"""Chunk files: reading them, running a chunk, and writing expectations back.

A file holds chunks separated by lines of `---`. Expectations are comments at the end of a line:

    (+ 1 2)            ; => 3                        the value of the top-level form that ends on this line
    (if)               ; error E0201 "malformed"     the program is refused here; the words are a regular expression
    (inc nil)          ; raises TypeError "expected" the run fails here
    (call :a 1)        ; yields (:a 1) <- 2          the host is asked this from here, and answers so
    (call :a)          ; yields (:a) <- !bad         ... or fails with these words
"""

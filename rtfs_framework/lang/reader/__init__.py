"""Reader: text to forms. `read.read_program` is the only entry; lark's LALR parser does the parsing."""

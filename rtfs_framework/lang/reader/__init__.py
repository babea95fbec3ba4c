"""Reader: text to forms. `read.read_program` is the only entry; lark makes the tables of its LALR parser."""

"""One rule's text by the grammar: its shape and values, or what is wrong with it."""

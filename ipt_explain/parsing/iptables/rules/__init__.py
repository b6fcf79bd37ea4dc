"""Parses one rule by the grammar: its shape and values, or what is wrong with it."""

"""Texts that show a part of a ruleset: what is known of tables and chains that they cut."""

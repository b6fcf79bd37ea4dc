"""Faults that any ruleset can have: rules that are unreachable, repeated, refused by the kernel, or unrestorable."""

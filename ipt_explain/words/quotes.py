"""Quoting text from the input."""

from __future__ import annotations


def cited(value: str) -> str:
    """Free text from a rule, in quotes."""
    return f'"{value}"'


def in_quotes(value: str) -> str:
    """Text in double quotes, with backslashes before quotes and backslashes in it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def clipped(text: str, most: int = 2000) -> str:
    """Text cut to a readable length; iptables itself never prints more."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"

"""Text of others inside ours."""

from __future__ import annotations


def cited(value: str) -> str:
    """Free text from a rule, in quotes."""
    return f'"{value}"'


def clipped(text: str, most: int = 2000) -> str:
    """Text of a length that somebody may read; what iptables itself prints is never longer."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"

"""Counts of things: `1 rule`, `1,234 rules`, `and 3 more`."""

from __future__ import annotations


def counted(number: int | str, noun: str) -> str:
    """`1 rule`, `1,234 rules`, `2 addresses`; in a phrase the last word changes. A number given as text is kept."""
    shown = number if isinstance(number, str) else f"{number:,}"
    if shown == "1":
        return f"1 {noun}"
    return f"{shown} {noun}{'es' if noun.endswith('s') else 's'}"


def some(number: int, noun: str) -> str:
    """As `counted`, but `no rule` for 0."""
    return counted(number, noun) if number else f"no {noun}"


def and_more(number: int, noun: str = "") -> str:
    """` and 3 more`, ` and 3 more rules` to end a shortened list; "" for 0."""
    if number <= 0:
        return ""
    return f" and {counted(number, f'more {noun}') if noun else f'{number:,} more'}"

"""Text to model: the only floor that knows the grammar."""

from ipt_explain.parsing.reader import read_dump

__all__ = ["read_dump"]

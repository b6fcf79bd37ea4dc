"""Text to model, one folder per language: the only layer that knows the grammars."""

from ipt_explain.parsing.iptables.reader import read_dump

__all__ = ["read_dump"]

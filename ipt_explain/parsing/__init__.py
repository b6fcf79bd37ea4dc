"""Text to model, a folder a language: the only floor that knows the grammars."""

from ipt_explain.parsing.iptables.reader import read_dump

__all__ = ["read_dump"]

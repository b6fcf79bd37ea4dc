"""The node's own rules, sets and servers, from the tools on this machine."""

from ipt_explain.inputs.live.reading import LiveRules, read_live

__all__ = ["LiveRules", "read_live"]

"""What to do about faults: advice that several rules give. Advice of a single rule is in its module."""

from __future__ import annotations


def restart(because: str) -> str:
    """`Restart kube-proxy on this node: it rewrites the chain.` `because` says how a restart helps."""
    return f"Restart kube-proxy on this node: it {because}."


RESTART = restart("rewrites the chain")
"""What to do about most faults of one chain."""
RESTART_CHAINS = restart("rewrites its chains")
RESTART_HOOKS = restart("rewrites its hooks")
RESTART_RULES = restart("rewrites its rules")
RESTART_TABLES = restart("rewrites its tables")
"""In nftables mode it does so with all chains, sets and maps in them."""

ONE_PROXY = "Make sure that only one kube-proxy runs on this node, and restart it."

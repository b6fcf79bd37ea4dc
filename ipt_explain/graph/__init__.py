"""Chains as a graph: which rules jump where, what a hook can reach, which chains form cycles.

The model keeps the order of rules; the graph answers the other questions: reachability, cycles, depth, and which chain
to understand first.
"""

from ipt_explain.graph.chains import ChainGraph
from ipt_explain.graph.cycles import Cycle
from ipt_explain.graph.jumps import Jump
from ipt_explain.graph.neighbourhood import Neighbourhood, neighbourhood, whole
from ipt_explain.netfilter.hooks import BUILT_IN_CHAINS, is_built_in

__all__ = ["BUILT_IN_CHAINS", "ChainGraph", "Cycle", "Jump", "Neighbourhood", "is_built_in", "neighbourhood", "whole"]

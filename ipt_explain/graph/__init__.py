"""Chains as a graph: which rules jump where, what a hook can reach, which chains form cycles.

The model keeps the order of rules; the graph answers the other questions: reachability, cycles, depth, and which chain
to understand first.
"""

"""Comparing what happens to traffic: in two dumps, on many nodes, or in a dump and the cluster's API objects.

Views describe the effect of a dump without counters, comments, hashes and the order of chains.
"""

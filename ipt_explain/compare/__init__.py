"""What differs in what traffic does: two dumps, many nodes, a dump and the cluster's API objects.

Views hold what a dump does, without the noise of how it says it: counters, comments, hashes, the order of chains.
"""

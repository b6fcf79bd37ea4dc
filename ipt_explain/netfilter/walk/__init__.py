"""The one walker: packets through the hooks, tables and chains of a node. What explain, audit, trace and compare say
of packets, they have from here.
"""

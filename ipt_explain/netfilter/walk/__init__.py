"""The only walker: packets through the hooks, tables and chains of a node, for explain, audit, trace and compare."""

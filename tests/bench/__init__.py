"""`python -m tests.bench`: the cost of reading a dump, compared with iptables itself."""

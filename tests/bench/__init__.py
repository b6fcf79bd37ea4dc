"""`python -m tests.bench`: what a dump costs, against what iptables itself takes for it."""

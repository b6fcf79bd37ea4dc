"""Addresses, ports and names of Services, looked at together."""

"""Lookups of packets in known IP sets."""

"""Addresses and node ports: one Service each, one owner, nothing in the way."""

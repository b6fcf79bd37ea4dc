"""Endpoint chains: their addresses, protocols, options and owners."""

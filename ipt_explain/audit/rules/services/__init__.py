"""5xx: services, their addresses and endpoints."""

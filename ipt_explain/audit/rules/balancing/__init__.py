"""2xx: how service chains spread connections over endpoints."""

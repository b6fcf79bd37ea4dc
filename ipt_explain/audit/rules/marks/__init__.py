"""4xx: marks and masquerading."""

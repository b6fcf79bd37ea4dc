"""How NAT changes addresses and ports."""

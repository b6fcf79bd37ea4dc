"""Rules about which clients are masqueraded."""

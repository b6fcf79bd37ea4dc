"""What IP sets that are known say of a packet."""

"""Values: what expressions give for a packet, what they are compared with, and whether they match."""

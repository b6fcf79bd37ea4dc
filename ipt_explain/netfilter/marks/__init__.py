"""Packet and connection marks: their bits, and the rules that set and test them."""

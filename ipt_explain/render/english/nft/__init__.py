"""Rules of nftables in English."""

"""Reading nftables: the output of `nft list ruleset` and `nft -j list ruleset`."""

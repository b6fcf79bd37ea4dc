"""nftables: what `nft list ruleset` and `nft -j list ruleset` print, read into one model."""

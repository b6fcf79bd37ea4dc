"""Reading the output of `nft -j`."""

"""What `nft -j` prints."""

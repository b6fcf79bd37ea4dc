"""What a node's rules tell of the programs that wrote them."""

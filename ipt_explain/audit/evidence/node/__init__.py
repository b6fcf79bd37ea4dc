"""What a node's rules show about the programs that wrote them."""

"""Order within kube-proxy's chains, and what others have put into them."""

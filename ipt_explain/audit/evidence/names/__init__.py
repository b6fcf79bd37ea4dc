"""Whether names, hashes and comments of kube-proxy's chains agree."""

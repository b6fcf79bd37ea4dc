"""What the chains mean to Kubernetes: facts, without opinion. All knowledge of kube-proxy lives here."""

"""What the cluster's API objects require of a node's kube-proxy, and where its rules differ."""

"""What the cluster's API objects ask of a node's kube-proxy, and where its rules do otherwise."""

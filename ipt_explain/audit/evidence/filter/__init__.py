"""What kube-proxy's and kubelet's chains in the filter table drop and accept."""

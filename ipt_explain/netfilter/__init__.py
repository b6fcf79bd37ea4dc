"""What rules mean to the kernel: probabilities, marks, addresses, matches, targets, hooks. Nothing of Kubernetes."""

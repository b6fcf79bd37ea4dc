"""Who wrote a chain or a rule: Kubernetes' own parts, and the other tools that are found on nodes."""

"""Who wrote a chain or a rule: Kubernetes' own components, or other tools found on nodes."""

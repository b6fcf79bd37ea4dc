"""What the audit asks of balancers and endpoints: shares, affinity, hairpin, counters."""

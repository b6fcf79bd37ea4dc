"""Facts about balancers and endpoints: shares, affinity, hairpins, counters."""

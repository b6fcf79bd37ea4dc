"""8xx: rules against the cluster's API objects; `compare --objects` makes their findings."""

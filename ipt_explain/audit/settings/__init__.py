"""What a run of the audit was told: rules chosen, configuration, baseline, exceptions."""

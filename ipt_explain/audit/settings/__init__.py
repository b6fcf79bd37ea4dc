"""Settings of an audit run: selected rules, configuration, baseline, exceptions."""

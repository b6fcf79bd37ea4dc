"""What an audit says: faults that rules report, and the findings that become of them."""

"""What IPVS does to packets."""

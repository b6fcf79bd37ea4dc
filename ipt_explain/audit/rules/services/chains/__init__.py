"""The chains that a Service's addresses lead to, and the traffic policies that they stand for."""

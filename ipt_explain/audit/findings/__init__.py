"""The audit's output: faults that rules report, and the findings made from them."""

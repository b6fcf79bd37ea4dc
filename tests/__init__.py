"""The tests: each shows a behaviour that a user can see."""

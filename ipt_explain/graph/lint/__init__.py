"""What is wrong with rules whoever wrote them: unreachable, repeated, refused by the kernel, not readable back."""

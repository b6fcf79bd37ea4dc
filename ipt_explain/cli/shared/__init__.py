"""Code that commands share: options, input, output, unknown first words."""

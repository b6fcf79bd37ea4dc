"""What several commands share: options, input, output, words that are no command."""

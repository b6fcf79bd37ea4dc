"""What carries a paste: mails, chats, logs, web pages and other programs, with the marks that they put around lines."""

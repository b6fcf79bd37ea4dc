"""Lines that a terminal, a mail program or the window of a pager broke or cut."""

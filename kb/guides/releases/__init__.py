"""What a release of a tool can say to its users, read from its code: scanned, kept in tables, compared."""

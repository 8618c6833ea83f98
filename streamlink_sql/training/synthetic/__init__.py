"""Invented questions with their SQL over invented schemas, to train the embedded parser. Opens no connection, reads no user's data."""

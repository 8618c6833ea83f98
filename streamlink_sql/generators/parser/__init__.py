"""The embedded parser: question and schema to SQL by a small model, an intermediate form and a grammar. Runs no SQL."""

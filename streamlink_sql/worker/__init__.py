"""A model as a server of its own: drafts over HTTP, for control units elsewhere. Sees questions and schemas, never data; runs no SQL."""

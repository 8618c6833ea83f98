"""Nginx in front of a cluster: its configuration, made from settings. Starts nothing, balances nothing itself."""

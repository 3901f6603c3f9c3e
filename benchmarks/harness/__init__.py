"""Runs contenders against a server and evaluates their measurements."""

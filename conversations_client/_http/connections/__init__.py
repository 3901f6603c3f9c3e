"""HTTP/1.1 connections: how they are opened, and what is sent and parsed."""

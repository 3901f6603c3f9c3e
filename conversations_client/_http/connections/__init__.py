"""One HTTP/1.1 connection: sockets, deadlines and the parser."""

"""What the sandbox's models reply, and the events that a reply is streamed as."""

"""What people and timing bridges do while a race is on; every write is a command or a told event."""

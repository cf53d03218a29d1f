"""What belongs to one person, in every room: handed out whole, and deleted whole."""

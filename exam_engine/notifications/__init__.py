"""Messages to people outside the system."""

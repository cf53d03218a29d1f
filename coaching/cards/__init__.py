"""What coaching shows on the dashboard."""

"""Readers of files people bring: laps and activities. A file is a stranger's input."""

"""Readers of files athletes bring: bytes in, frozen dataclasses out. A file is a stranger's input."""

"""The rehearsal: local stand-ins of every remote, and a real engine."""

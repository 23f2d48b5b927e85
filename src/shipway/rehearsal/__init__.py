"""Stand-ins of every remote on this machine, and a real engine, for a release that nobody sees. A release for real needs
nothing of it."""

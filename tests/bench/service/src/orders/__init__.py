"""Orders: a service of the usual size."""

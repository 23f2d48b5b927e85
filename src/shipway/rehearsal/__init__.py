"""Stand in for every remote on this machine, and set up a real engine, for a release nobody sees.

A real release needs nothing from here.
"""

"""This package holds the words that stages speak: actions and answers, target and world, findings.

All of it is frozen data, which decides nothing.
"""

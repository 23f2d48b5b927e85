"""This package plans, from facts and settings, what should exist.

Pure: the stages ask what does exist.
"""

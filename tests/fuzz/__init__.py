"""Fuzzers: hostile input to everything of Doppel that reads what somebody else has written.

``python -m tests.fuzz`` runs one for as long as wanted; ``test_fuzzers.py`` runs each for some seconds.
"""

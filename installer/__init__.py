"""Doppel's installer: ``python3 -m installer run | test | install | uninstall | doctor``.

Standard library only, Python 3.9 or later, so that it runs before anything is installed.
"""

"""Engines: each maps a crop of a live face to the swapped crop and its mask. See :mod:`.base`."""

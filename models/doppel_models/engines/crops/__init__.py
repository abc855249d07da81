"""Neural engines: networks that map an aligned crop of a face to a swapped crop.

All of them are one engine (:mod:`.engine`), which differs by one :class:`.description.Description` each.
"""

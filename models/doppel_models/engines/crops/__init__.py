"""Neural engines: networks that map an aligned crop of a face to a swapped crop.

All of them are one engine (:mod:`.engine`); what they differ in is one :class:`.description.Description` each.
"""

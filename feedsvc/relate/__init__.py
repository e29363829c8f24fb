"""Which entries belong together, decided from candidates and texts alone, without any I/O.

`titles.py` resolves the headlines an entry names.
"""

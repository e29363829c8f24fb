"""Which entries belong together, decided from candidates and texts alone, without any I/O.

`titles.py` resolves the headlines an entry names, `likeness.py` finds what is on the same matter,
`stories.py` what reports one event.
"""

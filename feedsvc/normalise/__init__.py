"""From what a document says to what the store keeps: `ParsedEntry` → `Entry`, without any I/O.

`entry.py` puts an entry together and reconciles it with what is known of it; the others each
look after one thing: identity, dates, URLs, HTML, embedded media, plain text, people and links.
"""

"""What stands for something: an entry's key and digest of content, the digest of a token."""

import hashlib

_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_AS_NUMERAL = str.maketrans(_DIGITS, "0123456789abcdefghijklmnopqrstuv")
# a key is written for every entry that is looked up: two digits at a time
_TWO_DIGITS = tuple(high + low for high in _DIGITS for low in _DIGITS)


def content_digest(digest: str) -> str:
    """The part of an entry's `digest` that is of its content, without what else is to be kept."""
    return digest.partition(".")[0]


def entry_key(id: str) -> str:
    """Names an entry in URLs: 13 letters and digits made from its Atom id alone (63 bits)."""
    return key_text(key_number(id))


def key_number(id: str) -> int:
    """The 63-bit number behind `entry_key`, which orders entries of equal date."""
    return int.from_bytes(hashlib.sha256(id.encode("utf-8", "surrogatepass")).digest()[:8]) >> 1


def key_text(number: int) -> str:
    """Writes a 63-bit key number as 13 lower-case base-32 characters (RFC 4648 §6)."""
    bits = number << 1
    pairs = _TWO_DIGITS
    return (
        f"{pairs[bits >> 55]}{pairs[bits >> 45 & 1023]}{pairs[bits >> 35 & 1023]}"
        f"{pairs[bits >> 25 & 1023]}{pairs[bits >> 15 & 1023]}{pairs[bits >> 5 & 1023]}"
        f"{_DIGITS[bits & 31]}"
    )


def parse_key(key: str) -> int | None:
    """Reads an `entry_key` back into its number; None if it is not one."""
    if len(key) != 13:
        return None
    try:
        number = int(key.translate(_AS_NUMERAL), 32) >> 1
    except ValueError:
        return None
    return number if number >> 63 == 0 and key_text(number) == key else None


def token_digest(token: str) -> bytes:
    """What is kept and compared of a feed token: its SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()

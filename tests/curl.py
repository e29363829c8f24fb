"""The examples of documentation: curl command lines, read as the requests they make."""

import base64
import re
import shlex
from urllib.parse import quote

BASE = "http://127.0.0.1:8080"


def examples(page: str) -> list[str]:
    """The curl command lines of a page, in order."""
    return [
        line
        for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("curl ")
    ]


def request(line: str) -> tuple[str, str, dict[str, str], bytes]:
    """Method, path, headers and body of a curl command line."""
    method, url, headers, data, body = "GET", "", {}, "", b""
    words = iter(shlex.split(line)[1:])
    for word in words:
        match word:
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-X":
                method = next(words)
            case "-u":
                secret = base64.b64encode(next(words).encode()).decode()
                headers["Authorization"] = f"Basic {secret}"
            case "--data-urlencode":
                name, _, value = next(words).partition("=")
                data = f"?{name}={quote(value)}"
            case "-d" | "--data-binary":
                body = next(words).encode()
            case "-o" | "-w" | "-D":
                next(words)
            case "-sI":
                method = "HEAD"
            case "-s" | "-G":
                pass
            case "--compressed":
                headers["Accept-Encoding"] = "deflate, gzip, br, zstd"
            case _:
                assert word.startswith(BASE), word
                url = word.removeprefix(BASE)
    return method, url + data, headers, body

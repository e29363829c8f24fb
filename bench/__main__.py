"""Runs every benchmark and prints ratios: `python -m bench [NAME…]`."""

import sys

from . import busy, copies, ingest, linking, publish, query, serve, store

BENCHMARKS = {
    "busy": busy.main,
    "copies": copies.main,
    "ingest": ingest.main,
    "linking": linking.main,
    "publish": publish.main,
    "query": query.main,
    "serve": serve.main,
    "store": store.main,
}


def main() -> None:
    """Runs the benchmarks named on the command line, or all of them."""
    for name in sys.argv[1:] or BENCHMARKS:
        if name not in BENCHMARKS:
            sys.exit(f"no benchmark {name!r}; there are: {', '.join(BENCHMARKS)}")
        BENCHMARKS[name]()


main()

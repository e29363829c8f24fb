"""What stands in requests to the API where just any text would find nothing, for schemathesis.

The OpenAPI document gives such texts a format of their own (`feedsvc-query` …). The command line
of schemathesis reads this with SCHEMATHESIS_HOOKS=tests.apiformats; `FEEDSVC_API_SAMPLES` gives it
the keys and ids that a running service has.
"""

import json
import os

import schemathesis
from hypothesis import strategies as st

#: An environment variable with texts of each format as a JSON object of lists.
VARIABLE = "FEEDSVC_API_SAMPLES"

_SAMPLES: dict[str, list[str]] = {
    "feedsvc-source": ["seeds", "nobody"],
    "feedsvc-key": ["lz2kzufpgzi7a", "x"],
    "feedsvc-story": ["lz2kzufpgzi7a", "x"],
    "feedsvc-location": ["http://127.0.0.1:9/feed.xml"],
    "feedsvc-tag": ["World", "crème brûlée", "Россия", "U.S.", "a" * 80, "7"],
    "feedsvc-cursor": [""],
    **json.loads(os.environ.get(VARIABLE, "{}")),
}
_WORDS = st.sampled_from(
    ["istanbul", "tag:world", "-tag:sports", '"embassy operations"', "title:report", "since:7d",
     "source:bbc", "lang:en", "has:enclosure", "(oil OR gas)", "sort:updated", "кафе", "é"]
)  # fmt: skip
schemathesis.openapi.format(
    "feedsvc-query", st.lists(_WORDS, max_size=4, unique=True).map(" ".join)
)
for name, texts in _SAMPLES.items():
    schemathesis.openapi.format(name, st.sampled_from(texts))
schemathesis.openapi.format(
    "feedsvc-opml",
    st.lists(
        st.sampled_from(
            ["http://127.0.0.1:9/a", "http://127.0.0.1:9/b", "ftp://c.example/", "http://[d"]
        ),
        max_size=4,
    ).map(
        lambda urls: (
            '<opml version="2.0"><body>'
            + "".join(f'<outline text="T" xmlUrl="{url}"/>' for url in urls)
            + "</body></opml>"
        )
    ),
)

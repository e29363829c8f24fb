"""Loading: where values come from, which of them wins, and how a mistake is told."""

import pickle
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from feedsvc.config import Config, follow, load
from feedsvc.errors import ConfigError

Load = Callable[..., Config]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with room for the default file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    return tmp_path


@pytest.fixture
def written(here: Path) -> Load:
    """Loads a text as `config/feedsvc.toml`."""

    def load_text(text: str, environ: Mapping[str, str] | None = None, **options: Any) -> Config:
        (here / "config" / "feedsvc.toml").write_text(text, "utf-8")
        return load(environ=environ or {}, **options)

    return load_text


def complaint(load_text: Load, text: str, **options: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_text(text, **options)
    return caught.value


def test_nothing_at_all_is_a_working_configuration(here: Path) -> None:
    config = load(environ={})
    assert config.sources == ()
    assert config.feeds == ()
    assert config.opml == ()
    assert config.site.title == "My newswire"
    assert config.site.base_url == "http://127.0.0.1:8080"
    assert config.site.authority == "localhost,2026"
    assert config.site.page_size == 50
    assert config.store.url == "sqlite:///data/feedsvc.db"
    assert config.store.retention == timedelta(0)
    poll = config.poll
    assert (poll.interval, poll.min_interval) == (timedelta(minutes=30), timedelta(minutes=5))
    assert (poll.max_interval, poll.directory_interval) == (timedelta(days=1), timedelta(seconds=2))
    assert (poll.concurrency, poll.per_host, poll.host_delay) == (64, 2, timedelta(0))
    assert (poll.timeout, poll.max_bytes) == (timedelta(seconds=20), 16 * 2**20)
    assert (poll.allow_private, poll.workers) == ((), 0)
    assert poll.user_agent == "feedsvc/{version} (+{base_url})"
    web = config.web
    assert (web.host, web.port, web.workers) == ("127.0.0.1", 8080, 0)
    assert (web.admin_token, web.feed_tokens) == ("", ())
    assert (config.tags.auto, config.tags.aliases, config.tags.stop) == (True, {}, ())
    assert (config.related.max, config.related.stories, config.related.list) == (5, True, True)
    assert (config.websub.hub, config.websub.subscribe) == (True, True)


def test_reads_everything_the_contract_shows(written: Load) -> None:
    config = written(
        """
        opml = ["config/subscriptions.opml"]
        [site]
        title = "Wire"
        subtitle = "s"
        author = "a"
        language = "en"
        icon = "https://example.org/i.png"
        logo = "https://example.org/l.png"
        rights = "r"
        base_url = "https://feeds.example.org/news/"
        authority = "news@example.org,2026-11"
        page_size = 20
        [store]
        url = "postgresql://user:pw@host/db"
        retention = "90d"
        [poll]
        interval = "1h"
        max_bytes = "2MiB"
        allow_private = ["127.0.0.1:8081", "10.1.0.0/16", "nas.lan"]
        [web]
        port = 0
        admin_token = "t"
        feed_tokens = ["a", "b"]
        [tags]
        auto = false
        stop = ["news"]
        aliases = { "U.S.A." = "United States" }
        [[tags.rules]]
        tag = "energy"
        any = ["oil price", "OPEC"]
        regex = '\\bG-?20\\b'
        source = "seeds"
        [related]
        max = 3
        stories = false
        list = false
        [websub]
        hub = false
        [[sources]]
        location = "seeds"
        tags = ["Seeds"]
        [[sources]]
        location = "https://example.org/feed.xml"
        interval = "1h"
        headers = { X-Api-Key = "k" }
        auth = "user:pässword"
        fulltext = true
        max_entries = 10
        enabled = false
        [[feeds]]
        name = "diplomacy"
        title = "Diplomacy"
        q = "tag:diplomacy -tag:sports"
        """
    )
    assert config.opml == ("config/subscriptions.opml",)
    assert config.site.base_url == "https://feeds.example.org/news"
    assert config.store.retention == timedelta(days=90)
    assert config.poll.max_bytes == 2 * 2**20
    assert config.poll.allow_private == ("127.0.0.1:8081", "10.1.0.0/16", "nas.lan")
    assert config.web.feed_tokens == ("a", "b")
    assert config.tags.aliases == {"U.S.A.": "United States"}
    rule = config.tags.rules[0]
    assert rule.model_dump() == {
        "tag": "energy",
        "any": ("oil price", "OPEC"),
        "all": (),
        "regex": (r"\bG-?20\b",),
        "source": ("seeds",),
        "author": (),
        "title_only": False,
    }
    feed = config.sources[1]
    assert (feed.interval, feed.fulltext, feed.max_entries) == (timedelta(hours=1), True, 10)
    assert (feed.headers, feed.auth, feed.enabled) == ({"X-Api-Key": "k"}, "user:pässword", False)
    assert config.feeds[0].q == "tag:diplomacy -tag:sports"


def test_flags_beat_environment_beats_secrets_beats_file(written: Load, here: Path) -> None:
    (here / "secrets").mkdir()
    environ = {"FEEDSVC_SECRETS_DIR": str(here / "secrets")}
    text = '[web]\nhost = "::1"\nadmin_token = "file"\nport = 1\nworkers = 1\n'
    config = written(text, environ)
    assert (config.web.admin_token, config.web.port) == ("file", 1)

    (here / "secrets" / "web__admin_token").write_text("secret\n")
    (here / "secrets" / "FEEDSVC_WEB__PORT").write_text("2")
    (here / "secrets" / ".hidden").write_text("x")
    (here / "secrets" / "directory").mkdir()
    config = written(text, environ)
    assert (config.web.admin_token, config.web.port) == ("secret", 2)

    environ |= {"FEEDSVC_WEB__PORT": "3", "FEEDSVC_WEB__WORKERS": "3", "PATH": "/bin"}
    config = written(text, environ)
    assert (config.web.admin_token, config.web.port, config.web.workers) == ("secret", 3, 3)

    overrides = {"web.port": 4, "web.workers": None}
    config = written(text, environ, overrides=overrides)
    assert (config.web.port, config.web.workers, config.web.host) == (4, 3, "::1")
    assert written(text, environ, overrides={"web": {"port": 5}}).web.port == 5


def test_lists_and_tables_in_variables(here: Path) -> None:
    config = load(
        environ={
            "FEEDSVC_POLL__ALLOW_PRIVATE": " nas.lan, 127.0.0.1:8081,",
            "FEEDSVC_WEB__FEED_TOKENS": '["a,b"]',
            "FEEDSVC_TAGS__ALIASES": '{"USA": "United States"}',
            "FEEDSVC_SOURCES": '[{"location": "seeds", "tags": ["x"]}]',
            "FEEDSVC_OPML": "a.opml",
            "FEEDSVC_TAGS__AUTO": "off",
            "FEEDSVC_STORE__RETENTION": "2w",
            "feedsvc_site__title": "Lower",
        }
    )
    assert config.poll.allow_private == ("nas.lan", "127.0.0.1:8081")
    assert config.web.feed_tokens == ("a,b",)
    assert config.tags.aliases == {"USA": "United States"}
    assert config.sources[0].tags == ("x",)
    assert config.opml == ("a.opml",)
    assert not config.tags.auto
    assert config.store.retention == timedelta(weeks=2)
    assert config.site.title == "Lower"


def test_an_empty_variable_is_not_set(written: Load) -> None:
    config = written('[web]\nadmin_token = "t"', {"FEEDSVC_WEB__ADMIN_TOKEN": ""})
    assert config.web.admin_token == "t"


def test_an_empty_secret_file_is_an_empty_value(written: Load, here: Path) -> None:
    (here / "secrets").mkdir()
    (here / "secrets" / "web__admin_token").write_text("\n")
    environ = {"FEEDSVC_SECRETS_DIR": "secrets"}
    assert written('[web]\nadmin_token = "t"', environ).web.admin_token == ""


def test_environment_of_a_service_called_feedsvc_is_passed_over(here: Path) -> None:
    links = {
        "FEEDSVC_SERVICE_HOST": "10.0.0.1",
        "FEEDSVC_SERVICE_PORT": "8080",
        "FEEDSVC_SERVICE_PORT_HTTP": "8080",
        "FEEDSVC_PORT": "tcp://10.0.0.1:8080",
        "FEEDSVC_PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "FEEDSVC_PORT_8080_TCP_ADDR": "10.0.0.1",
        "FEEDSVC_WEB_PORT": "tcp://10.0.0.1:8080",
        "FEEDSVC_WEB_SERVICE_HOST": "10.0.0.1",
    }
    assert load(environ=links).web.port == 8080


def test_the_environment_of_the_process_is_read(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDSVC_WEB__PORT", "81")
    assert load().web.port == 81


def test_a_named_file_must_be_there(here: Path) -> None:
    for options in (
        {"path": Path("other.toml"), "environ": {}},
        {"environ": {"FEEDSVC_CONFIG": "other.toml"}},
    ):
        with pytest.raises(ConfigError, match=r"^other\.toml: there is no such file"):
            load(**options)
    (here / "other.toml").write_text("[web]\nport = 7")
    (here / "config" / "feedsvc.toml").write_text("[web]\nport = 8")
    assert load("other.toml", environ={}).web.port == 7
    assert load(environ={"FEEDSVC_CONFIG": "other.toml"}).web.port == 7
    assert load("other.toml", environ={"FEEDSVC_CONFIG": "config/feedsvc.toml"}).web.port == 7


def test_files_that_cannot_be_read(here: Path) -> None:
    (here / "latin1.toml").write_bytes('[site]\ntitle = "Café"'.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"^latin1\.toml: not UTF-8"):
        load("latin1.toml", environ={})
    with pytest.raises(ConfigError, match=r"^config: "):
        load("config", environ={})
    (here / "bom.toml").write_bytes(b"\xef\xbb\xbf[web]\r\nport = 9\r\n")
    assert load("bom.toml", environ={}).web.port == 9


@pytest.mark.parametrize(
    ("text", "line"),
    [("[poll\n", 1), ('[poll]\n\ninterval = "1h\n', 3), ("a = 1\na = 2\n", 2), ("x = [\n\n", 1)],
)
def test_bad_toml_is_told_with_its_line(written: Load, text: str, line: int) -> None:
    message = str(complaint(written, text))
    assert message.startswith(f"config/feedsvc.toml:{line}: not valid TOML: ")


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        # unknown keys, each with the nearest known one
        ('[poll]\nintervall = "1h"', 2, "poll.intervall", "did you mean poll.interval?"),
        ("[pol]\n", 1, "pol", "did you mean poll?"),
        ('title = "x"', 1, "title", "did you mean site.title?"),
        ("[site]\nport = 1", 2, "site.port", "did you mean web.port?"),
        ("[web]\nzzzzzz = 1", 2, "web.zzzzzz", "the keys here are host, port, workers"),
        (
            '[[sources]]\nlocation = "a"\nurl = "b"',
            3,
            "sources[1].url",
            "did you mean sources.location?",
        ),
        (
            '[[sources]]\nlocation = "a"\n\n[[sources]]\nlocation = "b"\ntag = ["x"]',
            6,
            "sources[2].tag",
            "did you mean sources.tags?",
        ),
        (
            '[[feeds]]\nname = "a"\nq = ""\nport = 1',
            4,
            "feeds[1].port",
            "the keys here are name, title, q",
        ),
        (
            '[tags]\nrules = [\n  {tag = "a", any = ["b"]},\n  {tag = "c", anny = ["d"]},\n]',
            4,
            "tags.rules[2].anny",
            "did you mean tags.rules.any?",
        ),
        # missing keys, at the head of their table
        ('\n[[sources]]\ntags = ["x"]', 2, "sources[1].location", "is missing"),
        ('[[feeds]]\nname = "a"', 1, "feeds[1].q", "is missing"),
        # values
        ("[poll]\ninterval = 30", 2, "poll.interval", 'as in "30s" or "30m"'),
        ('[poll]\ninterval = "0m"', 2, "poll.interval", "no time at all"),
        ('[poll]\nmax_bytes = "lots"', 2, "poll.max_bytes", 'as in "16MiB"'),
        ('[web]\nport = "http"', 2, "web.port", "write a whole number"),
        ("[web]\nport = true", 2, "web.port", "write a whole number"),
        ("[web]\nport = 70000", 2, "web.port", "less than or equal to 65535"),
        ("[web]\nport = -1", 2, "web.port", "greater than or equal to 0"),
        ("[site]\ntitle = 5", 2, "site.title", "5 is wrong: write text in quotation marks"),
        ('[site]\ntitle = ""', 2, "site.title", "not empty"),
        ('[site]\nshare = "4%"', 2, "site.share", '"4%" is not a share of a page'),
        ("[site]\nshare = true", 2, "site.share", "is not a share of a page"),
        ("[site]\npage_size = 501", 2, "site.page_size", "501 is wrong"),
        ('[tags]\nauto = "perhaps"', 2, "tags.auto", "true or false"),
        ('[tags]\nstop = "news"', 2, "tags.stop", 'a list, as in ["one", "two"]'),
        ("[tags]\naliases = []", 2, "tags.aliases", "a table"),
        ("site = 3", 1, "site", "3 is wrong: write a table"),
        ('sources = ["seeds"]', 1, "sources[1]", "write a table"),
        (
            '[poll]\nallow_private = [\n  "nas.lan",\n  "300.1.1.1",\n]',
            4,
            "poll.allow_private[2]",
            "not an exact exception",
        ),
        ('[tags]\naliases = {"…" = "x"}', 2, "tags.aliases.…", "not a tag"),
        ('[[tags.rules]]\ntag = "x"', 1, "tags.rules[1]", "to every entry"),
        ('[[tags.rules]]\ntag = "x"\nregex = "("', 3, "tags.rules[1].regex[1]", "not a regular"),
        # keys that do not go together
        ('[poll]\nmin_interval = "1h"', 2, "poll.min_interval", "longer than poll.interval"),
        ('[poll]\nmax_interval = "1m"', 2, "poll.max_interval", "shorter than poll.interval"),
        ('[poll]\ninterval = "2d"', 2, "poll.interval", "longer than poll.max_interval"),
        ('[poll]\ninterval = "1m"', 2, "poll.interval", "shorter than poll.min_interval"),
        (
            '[[sources]]\nlocation = "a"\n[[sources]]\nlocation = "./a/"',
            4,
            "sources[2].location",
            "is there already",
        ),
        (
            '[[sources]]\nlocation = "https://example.org"\n'
            '[[sources]]\nlocation = "https://EXAMPLE.org:443/#top"',
            4,
            "sources[2].location",
            "is there already",
        ),
        (
            '[[sources]]\nid = "x"\nlocation = "a"\n[[sources]]\nid = "x"\nlocation = "b"',
            5,
            "sources[2].id",
            'called "x" already',
        ),
        (
            '[[sources]]\nlocation = "a"\nheaders = {A = "b"}',
            3,
            "sources[1].headers",
            "a directory is read without HTTP",
        ),
        (
            '[[sources]]\nlocation = "http://a/"\nauth = "a:b"\nheaders = {Authorization = "c"}',
            3,
            "sources[1].auth",
            "keep one",
        ),
        (
            '[[feeds]]\nname = "a"\nq = ""\n[[feeds]]\nname = "a"\nq = ""',
            5,
            "feeds[2].name",
            'called "a" already',
        ),
        ('[[feeds]]\nname = "stories"\nq = ""', 2, "feeds[1].name", "always there"),
        ('[[feeds]]\nname = "Big News"\nq = ""', 2, "feeds[1].name", 'write "big-news"'),
        ('[[feeds]]\nname = "a"\nq = "x (y"', 3, "feeds[1].q", "never closed\nx (y\n  ^"),
    ],
)
def test_a_mistake_is_told_with_line_key_and_remedy(
    written: Load, text: str, line: int, key: str, says: str
) -> None:
    error = complaint(written, text)
    assert error.key == key
    assert str(error).startswith(f"config/feedsvc.toml:{line}: {key}: ")
    assert says in str(error)


def test_all_mistakes_are_told_at_once(written: Load) -> None:
    error = complaint(written, '[poll]\ninterval = 5\n[web]\nprot = 1\n[site]\nlanguage = "?"')
    assert [line.split(": ")[:2] for line in str(error).splitlines()] == [
        ["config/feedsvc.toml:6", "site.language"],
        ["config/feedsvc.toml:2", "poll.interval"],
        ["config/feedsvc.toml:4", "web.prot"],
    ]


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"FEEDSVC_POLL__INTERVALL": "1h"}, "did you mean FEEDSVC_POLL__INTERVAL?"),
        ({"FEEDSVC_WEB_PORT": "80"}, "did you mean FEEDSVC_WEB__PORT?"),
        ({"FEEDSVC_SITE": "{}"}, "did you mean FEEDSVC_SITE__AUTHOR?"),
        ({"FEEDSVC_QQQQ": "80"}, "environment FEEDSVC_QQQQ: there is no such key"),
        ({"FEEDSVC_SOURCES__LOCATION": "x"}, "there is no such key"),
        ({"FEEDSVC_WEB__PORT": "x"}, "environment FEEDSVC_WEB__PORT: web.port: "),
        ({"FEEDSVC_SOURCES": "seeds"}, "environment FEEDSVC_SOURCES: sources: write it as JSON"),
        (
            {"FEEDSVC_SOURCES": '[{"url": "x"}]'},
            "environment FEEDSVC_SOURCES: sources[1].url: there is no such key",
        ),
        ({"FEEDSVC_SECRETS_DIR": "nowhere"}, "FEEDSVC_SECRETS_DIR=nowhere: No such file"),
    ],
)
def test_mistakes_in_the_environment(here: Path, environ: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environ=environ)
    assert says in str(caught.value)


def test_mistakes_in_secret_files(here: Path) -> None:
    environ = {"FEEDSVC_SECRETS_DIR": "."}
    (here / "web__admin_tokn").write_text("x")
    with pytest.raises(ConfigError, match=r"web__admin_tokn: .* did you mean web__admin_token\?"):
        load(environ=environ)
    (here / "web__admin_tokn").rename(here / "web__admin_token")
    assert load(environ=environ).web.admin_token == "x"
    (here / "FEEDSVC_WEB__ADMIN_TOKEN").write_text("y")
    with pytest.raises(ConfigError, match=r"web\.admin_token has another file too"):
        load(environ=environ)
    (here / "FEEDSVC_WEB__ADMIN_TOKEN").unlink()
    (here / "web__admin_token").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(environ=environ)


def test_secrets_are_not_repeated_in_errors(written: Load) -> None:
    text = """
    [web]
    admin_token = "hunter 2"
    feed_tokens = [12345]
    [store]
    url = "mysecret.example/db"
    [[sources]]
    location = "https://me:hunter3@example.org/"
    [[sources]]
    location = "https://example.org/?token=hunter4\\u0001 x"
    headers = { Authorization = "hunter\\u0001" }
    auth = "hunter5"
    """
    message = str(complaint(written, text))
    assert len(message.splitlines()) == 7
    for secret in ("hunter", "12345", "mysecret"):
        assert secret not in message
    assert "hunter" not in repr(written('[web]\nadmin_token = "hunter2"'))


def test_a_mistake_in_a_flag_is_told_as_such(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"^command line: web\.port: "):
        load(environ={}, overrides={"web.port": "x"})


def test_base_url_follows_host_and_port_until_it_is_set(written: Load) -> None:
    assert written("[web]\nport = 9000").site.base_url == "http://127.0.0.1:9000"
    assert written('[web]\nhost = "0.0.0.0"').site.base_url == "http://127.0.0.1:8080"
    assert written('[web]\nhost = "::"').site.base_url == "http://[::1]:8080"
    assert written('[web]\nhost = "news.lan"').site.base_url == "http://news.lan:8080"
    fixed = '[site]\nbase_url = "http://127.0.0.1:8080"\n[web]\nport = 9000'
    assert written(fixed).site.base_url == "http://127.0.0.1:8080"


def test_a_free_port_is_followed_once_it_is_known(written: Load) -> None:
    free = follow(written("[web]\nport = 0"), 50123)
    assert (free.web.port, free.site.base_url) == (50123, "http://127.0.0.1:50123")
    fixed = follow(written('[site]\nbase_url = "https://a.example"\n[web]\nport = 0'), 50123)
    assert (fixed.web.port, fixed.site.base_url) == (50123, "https://a.example")


def test_a_configuration_travels_to_other_processes_unchanged(written: Load) -> None:
    config = written('[[sources]]\nlocation = "seeds"\n[poll]\ninterval = "1h"')
    assert pickle.loads(pickle.dumps(config)) == config


def test_a_configuration_cannot_be_changed(here: Path) -> None:
    config = load(environ={})
    with pytest.raises(ValueError, match="frozen"):
        config.web.port = 1
    with pytest.raises(ValueError, match="frozen"):
        config.web = config.web

"""Feed tokens beside a running service: given out, used, revoked, and never written down."""

import base64
from collections.abc import Callable

from tests.service import Service

FEED = "/feeds/all.atom"
TITLE = "Istanbul Diplomacy: U.S. and Russia Seek to Normalize Embassy Operations"


def add(service: Service, name: str) -> str:
    done = service.command("token", "add", name)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_tokens_come_and_go_without_a_restart(make_service: Callable[..., Service]) -> None:
    service = make_service(FEEDSVC_WEB__WORKERS="2").start()
    service.wait_for_text(FEED, TITLE)
    token, other = add(service, "phone"), add(service, "tablet")
    service.wait(lambda: {service.get(FEED).status for _ in range(20)} == {401}, "feeds to close")

    basic = base64.b64encode(f"reader:{token}".encode()).decode()
    ways = (
        (f"{FEED}?token={token}", {}),
        (FEED, {"Authorization": f"Bearer {token}"}),
        (FEED, {"Authorization": f"Basic {basic}"}),
        # other than the canonical address: served at once, for a redirect would name the token
        (f"/feeds/tags/Russia,Diplomacy.atom?token={token}", {}),
    )
    for path, headers in ways:
        reply = service.get(path, headers)
        assert reply.status == 200
        assert "private" in reply.headers["cache-control"]
        assert token.encode() not in reply.body
        assert all(token not in value for value in reply.headers.values())
        etag = {"If-None-Match": reply.headers["etag"]}
        assert service.get(path, {**headers, **etag}).status == 304
    # mistakes are reported without it
    for path in (f"/feeds/query.atom?q=(a&token={token}", f"/feeds/none.atom?token={token}"):
        assert token.encode() not in service.get(path).body

    assert service.command("token", "remove", "phone").returncode == 0
    service.wait(
        lambda: {service.get(path, headers).status for path, headers in ways * 5} == {401},
        "the token to be revoked",
    )
    assert service.get(f"{FEED}?token={other}").status == 200
    metrics = service.get("/metrics").body.decode()
    listed = service.command("token", "list").stdout
    assert "tablet" in listed
    assert "phone" not in listed
    assert service.stop() == 0
    for one in (token, other):
        assert one not in service.log
        assert one not in metrics
        assert one not in listed
        data = service.folder / "data"
        assert all(
            one.encode() not in path.read_bytes() for path in data.iterdir() if path.is_file()
        )

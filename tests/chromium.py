"""Headless Chromium driven over its own protocol: what pages did, not only what they became."""

import asyncio
import itertools
import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
)


def program() -> str:
    """The browser's path; a failure that says how to get it where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "Chromium is not installed: apt-get install chromium"
    return found


@dataclass
class Seen:
    """What pages did while they loaded: dialogs, messages of the console, requests by type."""

    dialogs: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    loaded: int = 0


class Browser:
    """One browser with one tab; no name but loopback's resolves in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._load = asyncio.Event()
        self.seen = Seen()

    async def __aenter__(self) -> Self:
        self._process = subprocess.Popen(
            [
                *(program(), *FLAGS, f"--user-data-dir={self._folder}"),
                *(
                    "--remote-debugging-port=0",
                    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                ),
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        file = self._folder / "DevToolsActivePort"
        async with asyncio.timeout(60):
            while not (file.exists() and "\n" in file.read_text()):
                await asyncio.sleep(0.05)
        port = file.read_text().split("\n")[0]
        self._session = aiohttp.ClientSession(headers={"Connection": "close"})
        async with self._session.get(f"http://127.0.0.1:{port}/json/list") as reply:
            tab = next(x for x in await reply.json(content_type=None) if x["type"] == "page")
        self._socket = await self._session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self._say(f"{domain}.enable")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()
        await self._reader
        await self._session.close()
        # its connections close in the round after the next
        await asyncio.sleep(0.05)
        self._process.terminate()
        self._process.wait(30)

    async def visit(self, urls: Iterable[str]) -> Seen:
        """Loads pages one after the other, and gives what all of them did."""
        self.seen = Seen()
        for url in urls:
            self._load.clear()
            await self._say("Page.navigate", url=url)
            async with asyncio.timeout(60):
                await self._load.wait()
            self.seen.loaded += 1
        # what a page put off for a moment
        await asyncio.sleep(0.3)
        return self.seen

    async def run(self, script: str) -> Any:
        """The value of an expression in the page that is shown."""
        return (await self._say("Runtime.evaluate", expression=script))["result"].get("value")

    async def _say(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(60):
            return await self._waiting[number]

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            method, params = said.get("method"), said.get("params", {})
            if said.get("id") in self._waiting:
                self._waiting.pop(said["id"]).set_result(said.get("result"))
            elif method == "Page.javascriptDialogOpening":
                self.seen.dialogs.append(f"{params['url']}: {params['message']}")
                number = next(self._numbers)
                answer = {"id": number, "method": "Page.handleJavaScriptDialog"}
                await self._socket.send_json({**answer, "params": {"accept": True}})
            elif method == "Page.loadEventFired":
                self._load.set()
            elif method == "Log.entryAdded":
                entry = params["entry"]
                self.seen.messages.append(f"{entry['source']}: {entry['text']}")
            elif method in {"Runtime.consoleAPICalled", "Runtime.exceptionThrown"}:
                self.seen.messages.append(f"script: {json.dumps(params)[:300]}")
            elif method == "Network.requestWillBeSent":
                self.seen.requests.append((params.get("type", ""), params["request"]["url"]))

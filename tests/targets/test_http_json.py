"""The HTTP client against a server of this test that answers byte by byte as told."""

import asyncio
import contextlib

import pytest

from harness.errors import Definite, Indefinite
from targets.http_json import JsonConnection


class Server:
    """Answers each request with the next of `answers`: bytes, or None for silence; closes after "close"."""

    def __init__(self, *answers):
        self.answers, self.requests, self.connections = list(answers), [], 0

    async def accept(self, reader, writer):
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                self.requests.append((head.split(b"\r\n")[0], await reader.readexactly(length)))
                answer = self.answers.pop(0)
                if answer is not None:
                    for i in range(0, len(answer), 7):  # torn anywhere
                        writer.write(answer[i : i + 7])
                        await writer.drain()
                if not self.answers or b"close" in (answer or b""):
                    break
        writer.transport.abort() if None in self.answers else writer.close()


@contextlib.asynccontextmanager
async def serving(*answers, timeout_s=1.0):
    server = Server(*answers)
    listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    client = JsonConnection("127.0.0.1", listening.sockets[0].getsockname()[1], timeout_s)
    try:
        yield server, client
    finally:
        client.close()
        listening.close()


def sized(body, more=b""):
    return b"HTTP/1.1 200 OK\r\n" + more + b"content-LENGTH: %d\r\n\r\n%s" % (len(body), body)


CHUNKED = b'HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3;x=1\r\n:1}\r\n0\r\nTrailer: 1\r\n\r\n'


async def test_answers_of_every_form_over_one_connection():
    async with serving(sized(b'{"a": 1}'), CHUNKED, sized(b""), sized(b"[]")) as (server, client):
        assert await client.post("/x", {"k": "ü"}) == (200, {"a": 1})
        assert await client.post("/y", []) == (503, {"a": 1})
        assert await client.post("/z", None) == (200, None)
        assert await client.post("/z", None) == (200, [])
        assert server.connections == 1
        assert server.requests[0] == (b"POST /x HTTP/1.1", '{"k":"ü"}'.encode())


async def test_a_connection_that_the_server_closed_is_opened_anew():
    async with serving(sized(b"1", b"Connection: close\r\n"), b"HTTP/1.1 200 close\r\n\r\n2", sized(b"3")) as (server, client):
        assert [await client.post("/", 0) for _ in range(3)] == [(200, 1), (200, 2), (200, 3)]
        assert server.connections == 3


NO_ANSWERS = (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"nonsense\r\n\r\n", sized(b"{]"), b"", b"HTTP/1.1 200 O")


@pytest.mark.parametrize("answer", NO_ANSWERS)
async def test_what_comes_after_the_request_was_sent_proves_nothing(answer):
    async with serving(answer) as (_, client):
        with pytest.raises(Indefinite, match="sent, then"):
            await client.post("/", 0)


async def test_silence_is_indefinite_and_a_late_answer_is_never_taken_for_another():
    async with serving(None, sized(b"2"), timeout_s=0.1) as (server, client):
        with pytest.raises(Indefinite, match="no answer in time"):
            await client.post("/", 1)
        assert await client.post("/", 2) == (200, 2)
        assert server.connections == 2


async def test_a_cancelled_call_leaves_no_answer_behind():
    async with serving(None, sized(b"2")) as (server, client):
        task = asyncio.ensure_future(client.post("/", 1))
        while not server.requests:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await client.post("/", 2) == (200, 2)


async def test_refused_stays_what_it_is_and_was_not_sent():
    async with serving() as (_, client):
        pass
    with pytest.raises(ConnectionRefusedError):
        await client.post("/", 0)
    with pytest.raises(Definite, match="not sent"):
        await JsonConnection("255.255.255.255", 1, 0.2).open()


async def test_a_server_that_begins_to_answer_while_we_connect_is_reached_at_once(monkeypatch):
    tried = []
    real = asyncio.open_connection

    async def lost_at_first(*args, **kwargs):
        tried.append(args)
        if len(tried) < 3:
            await asyncio.sleep(60)  # as a SYN that nobody answers
        return await real(*args, **kwargs)

    async with serving(sized(b"1"), timeout_s=2.0) as (_, client):
        monkeypatch.setattr("targets.http_json.FIRST_TRIES_S", (0.02, 0.02))
        monkeypatch.setattr("asyncio.open_connection", lost_at_first)
        assert await client.post("/", 0) == (200, 1)
        assert len(tried) == 3

"""A door on loopback through which a client reaches its server, and which can be slammed at any byte.

    with Proxy(back=redis.socket, front=path) as door:     # a path: unix socket; a number: port on 127.0.0.1
        door.cut_after(100)         # every open connection ends when 100 more bytes have passed
        door.delay_s = 0.05         # every piece waits so long
        door.lose_answer(rb"EXEC")  # passes the command on, and ends the connection instead of answering

What passed has arrived whole before a connection ends, so the server may have done what its client never hears
of. Everything here may be called from the test's thread; the bytes move in a thread of the proxy's own.
"""
import asyncio
import contextlib
import pathlib
import re
import threading

PIECE = 1 << 16
LOOK_S = 0.01  # how often something that is held looks whether it may go on


class Link:
    """One connection through the door."""

    def __init__(self, client, server):
        self.writers = [client, server]
        self.left = None       # bytes that may still pass; None: any number
        self.doomed = False    # the answer to come is not given

    def close(self):
        for writer in self.writers:
            writer.close()


class Proxy:
    def __init__(self, back, front):
        self.back, self.front = back, front
        self.links = set()
        self.delay_s = 0       # before every piece
        self.piece = PIECE     # bytes that pass at once, at most
        self.rate = None       # bytes a second that come back from the server, a connection
        self.held = False      # nothing passes, nothing ends: a network that swallows
        self.deaf = False      # the same for answers only
        self.shut = False      # no connection is let in
        self.losing = None     # the command, as a pattern, whose answer is to be lost, or that is
        self.losing_command = False
        self.altering = None   # (pattern, what stands in its place) of the next answer that has it, or None
        self.watched = None    # commands of which pattern are counted
        self.seen = 0          # how many of them have come
        self.passed = 0        # bytes, both ways
        self.cuts = 0          # connections that we ended
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self._call(self._listen())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __str__(self):
        weather = {name: getattr(self, name) for name in ("delay_s", "piece", "rate", "held", "deaf", "shut", "losing")}
        return f"{len(self.links)} connections, {self.passed} bytes passed, {self.cuts} connections cut, {weather}"

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def close(self):
        self._call(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    # ---- what a test does to those who pass

    def cut(self):
        """Ends every open connection now."""
        self.cut_after(0)

    def cut_after(self, count):
        """Ends every open connection when so many more bytes have passed, whichever way."""
        self.loop.call_soon_threadsafe(self._cut_after, count)

    def lose_answer(self, pattern):
        """The next command of that pattern is done, and the connection ends instead of its answer."""
        self.losing, self.losing_command = re.compile(pattern, re.S), False

    def lose_command(self, pattern):
        """The next command of that pattern does not arrive: the connection ends before it."""
        self.losing, self.losing_command = re.compile(pattern, re.S), True

    def alter_answer(self, pattern, new):
        """In the next answer that has this pattern something else of the same size stands in its place."""
        self.altering = re.compile(pattern, re.S), new

    def has_altered(self):
        return not self.altering

    def has_lost(self):
        return not self.losing

    def watch(self, pattern):
        """From now on it counts in `seen` the commands of that pattern."""
        self.watched, self.seen = re.compile(pattern, re.S), 0

    def close_door(self):
        self.shut = True
        self.cut()

    def open_door(self):
        """Back to an ordinary network."""
        self.delay_s, self.piece, self.rate, self.losing = 0, PIECE, None, None
        self.held = self.deaf = self.shut = False

    # ---- in the thread of the proxy

    async def _listen(self):
        if isinstance(self.front, int):
            return await asyncio.start_server(self._serve, "127.0.0.1", self.front)
        pathlib.Path(self.front).unlink(missing_ok=True)
        return await asyncio.start_unix_server(self._serve, self.front)

    async def _stop(self):
        self.open_door()
        self.server.close()
        for link in list(self.links):
            link.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _cut_after(self, count):
        for link in list(self.links):
            link.left = count
            if count == 0:
                self._end(link)

    def _end(self, link):
        self.cuts += 1
        link.close()

    async def _connect_back(self):
        if isinstance(self.back, int):
            return await asyncio.open_connection("127.0.0.1", self.back)
        return await asyncio.open_unix_connection(self.back)

    async def _serve(self, reader, writer):
        if self.shut:
            writer.close()
            return
        try:
            back_reader, back_writer = await self._connect_back()
        except OSError:
            writer.close()
            return
        link = Link(writer, back_writer)
        self.links.add(link)
        try:
            await asyncio.gather(self._pump(link, reader, back_writer, True),
                                 self._pump(link, back_reader, writer, False))
        except asyncio.CancelledError:
            pass  # the proxy is closing; asyncio would complain of a task that ends so
        finally:
            self.links.discard(link)
            link.close()

    async def _pump(self, link, reader, writer, is_up):
        with contextlib.suppress(OSError):
            while data := await reader.read(PIECE):
                if self.altering and not is_up:
                    data = self._alter(data)
                if self.watched and is_up:
                    self.seen += bool(self.watched.search(data))
                found = self.losing.search(data) if is_up and self.losing else None
                if found:
                    self.losing, link.doomed = None, True
                if found and self.losing_command:
                    link.left = found.start()
                    if not link.left:
                        return self._end(link)
                while data:
                    data = data[await self._pass(link, data, writer, is_up):]
        link.close()

    def _alter(self, data):
        pattern, new = self.altering
        altered, count = pattern.subn(new, data, count=1)
        if count:
            self.altering = None
        assert len(altered) == len(data)
        return altered

    async def _pass(self, link, data, writer, is_up):
        """Lets a piece through as the weather has it; how many bytes that were."""
        while self.held or (self.deaf and not is_up):
            await asyncio.sleep(LOOK_S)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if link.doomed and not is_up:
            self._end(link)
            raise ConnectionError
        size = min(len(data), self.piece, PIECE if link.left is None else link.left)
        writer.write(data[:size])
        await writer.drain()
        self.passed += size
        if link.left is not None:
            link.left -= size
            if link.left <= 0:
                self._end(link)
                raise ConnectionError
        if self.rate and not is_up:
            await asyncio.sleep(size / self.rate)
        return size

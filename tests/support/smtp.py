"""A mail server that keeps what it is given, and refuses or hangs up as it is told.

    with Sink() as sink:
        sink.answers["RCPT", "anna@shop.example"] = ["450 4.2.0 later"]   # once; then as everybody
        sink.answers["DATA", "bob@shop.example"] = [HANG_UP]              # it has the mail, and says nothing
        sink.mails                                                        # [(address, message)]
"""
import collections
import email
import socketserver
import threading

HANG_UP = "hang up"


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 sink")
        address = None
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                self.server.asked.append(address)
            if word == "DATA":
                self.say("354 go on")
                self.server.mails.append((address, email.message_from_bytes(self.message())))
            if not self.say(self.server.answer(word, address)) or word == "QUIT":
                return

    def message(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def say(self, answer):
        if answer != HANG_UP:
            self.wfile.write(answer.encode() + b"\r\n")
        return answer != HANG_UP


class Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Session)
        self.address = "127.0.0.1:%d" % self.server_address[1]
        self.answers, self.mails, self.asked = collections.defaultdict(list), [], []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def answer(self, word, address):
        waiting = self.answers[word, address]
        return waiting.pop(0) if waiting else "221 bye" if word == "QUIT" else "250 yes"

    def handle_error(self, request, client_address):
        pass  # whoever was killed has closed the line

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

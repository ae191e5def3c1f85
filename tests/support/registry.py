"""A schema registry that knows what it is given, by id, and can be away: a server on a port of its own.

    with Registry({7: {"type": "record", ...}}) as registry:
        registry.url
        registry.stop()
        registry.start()
"""
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support import place

os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1"  # it is not to be asked through a proxy that the machine has


class Registry:
    def __init__(self, schemas):
        self.schemas = {f"/schemas/ids/{id}": json.dumps({"schema": json.dumps(schema)}) for id, schema in schemas.items()}
        self.port = place.free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        schemas = self.schemas

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                body = schemas.get(self.path.split("?")[0])
                self.send_response(200 if body else 404)
                self.end_headers()
                self.wfile.write((body or json.dumps({"error_code": 40403, "message": "Schema not found"})).encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Answer)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
        self.server = None

"""The model's HTTP server on loopback: it tells the wire format by the path."""

import gzip
import json
import subprocess
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from model import anthropic, chat, gemini, responses
from model.conversation import Say

MODELS = {"object": "list", "models": [], "has_more": False, "data": [
    {"id": "mock-model", "object": "model", "type": "model", "owned_by": "mock",
     "display_name": "mock", "created_at": "2026-01-01T00:00:00Z"}]}


def format_of(path):
    if path.endswith("/messages"):
        return anthropic
    if path.endswith("/chat/completions"):
        return chat
    if path.endswith("/responses"):
        return responses
    if path.endswith((":generateContent", ":streamGenerateContent")):
        return gemini
    return None


class ModelServer:
    """Serves `model` until the block is left; `steps` is what it did, `heard` what came as
    the user's words. With a status in `failing` it answers nothing else."""

    def __init__(self, model, log):
        self.model, self.log = model, open(log, "a", buffering=1)
        self.steps, self.heard = [], set()
        self.failing = None
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.owner = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def step(self, conversation):
        """One step. What asks for a title or a summary offers no tools, and gets a word."""
        if self.model.needs_tools and not conversation.tools:
            return Say("Molecule"), 0
        step = self.model.step(conversation)
        with self.lock:
            if not self.steps:
                self.log.write(f"tools: {' '.join(conversation.tools)}\n")
            self.heard.update(conversation.texts)
            self.steps.append(step)
            last = conversation.calls[-1:]
            self.log.write(f"{len(conversation.calls)} calls, {last} -> {step}\n")
            return step, len(self.steps)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        known = "models" in self.path
        self.answer(200 if known else 404, MODELS if known else {})

    do_HEAD = do_GET

    def do_POST(self):
        body = self.body()
        path = self.path.split("?")[0]
        owner = self.server.owner
        try:
            wire = format_of(path)
            if wire and owner.failing:
                self.answer(owner.failing, {"type": "error", "error": {
                    "type": "api_error", "code": owner.failing, "status": "UNAVAILABLE",
                    "message": f"the scripted model answers {owner.failing}"}})
            elif wire:
                self.respond(wire, json.loads(body))
            elif "count" in path and "okens" in path:
                self.answer(200, {"input_tokens": 10, "totalTokens": 10})
            else:
                owner.log.write(f"no answer to POST {path}\n")
                self.answer(404, {})
        except (BrokenPipeError, ConnectionResetError):
            owner.log.write(f"the host left during POST {path}\n")
        except Exception:
            owner.log.write(f"{path}: {traceback.format_exc()}\n")
            self.answer(500, {"error": {"message": "the scripted model failed"}})

    def respond(self, wire, body):
        step, number = self.server.owner.step(wire.read(body))
        whole, events = wire.write(step, body, number)
        if not (body.get("stream") or ":stream" in self.path):
            return self.answer(200, whole)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for name, data in events():
            head = f"event: {name}\n" if name else ""
            text = data if isinstance(data, str) else json.dumps(data)
            self.wfile.write(f"{head}data: {text}\n\n".encode())
        self.wfile.flush()

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0].strip() or b"0", 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            data = b"".join(pieces)
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        coding = self.headers.get("Content-Encoding")
        if coding == "gzip":
            return gzip.decompress(data)
        if coding == "zstd":
            return subprocess.run(["zstd", "-d"], input=data, stdout=subprocess.PIPE,
                                  check=True).stdout
        return data

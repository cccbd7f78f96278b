"""A model on 127.0.0.1 that says what a test's script has, in the APIs that agents' clients speak."""

import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, TypeAlias

Json: TypeAlias = dict[str, Any]
MARK = "SCRIPT=main"
"""Stands in the prompt; requests without it (a title, a summary) are answered with a word."""


@dataclass
class Model:
    """What it is to say, step by step, and the bodies of all requests that it got.

    A step is {"text": ...}, or {"tool": NAME, "input": {...}}, or {"tool": NAME, "raw": TEXT} for a free-form call;
    "namespace" stands beside where the tool has one.
    """

    steps: Sequence[Json] = ()
    requests: list[Json] = field(default_factory=list)
    url: str = ""

    def heard(self) -> list[str]:
        """The requests of the script's conversation, each as one text."""
        return [json.dumps(body, ensure_ascii=False) for body in self.requests if MARK in json.dumps(body)]


@contextmanager
def serving(model: Model) -> Iterator[Model]:
    """The model answers on a free port of 127.0.0.1 meanwhile."""
    handler = type("_Handler", (_Handler,), {"model": model})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    model.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield model
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _choose(model: Model, body: Json) -> tuple[int, Json]:
    """(number, step) that answers a request: the one after the last whose call is in it. Nothing else is kept."""
    messages = body.get("messages") or body.get("contents") or body.get("input") or []
    if MARK not in json.dumps(messages) or not body.get("tools"):
        return 0, {"text": "ok"}
    done = [int(number) for number in re.findall(r"call_script_(\d+)", json.dumps(messages))]
    number = max(done) + 1 if done else sum("functionCall" in json.dumps(one) for one in messages)
    return number, model.steps[number] if number < len(model.steps) else {"text": "done"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: ClassVar[Model]

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self._send({"object": "list", "data": [{"id": "scripted", "object": "model", "type": "model"}], "models": []})

    def do_POST(self) -> None:
        body = json.loads(self._body() or b"{}")
        path = self.path.partition("?")[0]
        if path.endswith("count_tokens"):
            return self._send({"input_tokens": 10})
        if ":countTokens" in path:
            return self._send({"totalTokens": 10})
        self.model.requests.append(body)
        number, step = _choose(self.model, body)
        call = {**step, "id": f"call_script_{number}"} if "tool" in step else None
        said = step.get("text", "ok")
        if path.endswith("/messages"):
            return self._anthropic(body, said, call)
        if path.endswith("/responses"):
            return self._responses(body, said, call)
        if path.endswith("/chat/completions"):
            return self._chat(body, said, call)
        return self._gemini(path, said, call)

    def _body(self) -> bytes:
        length = self.headers.get("content-length")
        if length is not None:
            return self.rfile.read(int(length))
        parts = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, answer: Json) -> None:
        self._write("application/json", json.dumps(answer))

    def _stream(self, events: Sequence[Json], *, named: bool, ending: str = "") -> None:
        parts = ((f"event: {one['type']}\n" if named else "") + f"data: {json.dumps(one)}\n\n" for one in events)
        self._write("text/event-stream", "".join(parts) + ending)

    def _write(self, kind: str, text: str) -> None:
        try:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())
        except OSError:  # the client has ended
            pass

    def _anthropic(self, body: Json, said: str, call: Json | None) -> None:
        block: Json = {"type": "text", "text": said}
        if call is not None:
            block = {"type": "tool_use", "id": call["id"], "name": call["tool"], "input": call["input"]}
        stop = "end_turn" if call is None else "tool_use"
        usage = {"input_tokens": 10, "output_tokens": 10}
        message = {"id": f"msg_{time.time_ns()}", "type": "message", "role": "assistant", "model": body.get("model")}
        message |= {"content": [block], "stop_reason": stop, "stop_sequence": None, "usage": usage}
        if not body.get("stream"):
            return self._send(message)
        start, delta = dict(block), {"type": "text_delta", "text": said}
        if call is None:
            start["text"] = ""
        else:
            start["input"] = {}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(call["input"])}
        events: list[Json] = [
            {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": start},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage},
            {"type": "message_stop"},
        ]
        return self._stream(events, named=True)

    def _responses(self, body: Json, said: str, call: Json | None) -> None:
        if call is None:
            content = [{"type": "output_text", "text": said, "annotations": []}]
            item: Json = {"type": "message", "id": "msg_1", "role": "assistant", "content": content}
        elif "raw" in call:
            item = {"type": "custom_tool_call", "id": f"ctc_{call['id']}", "call_id": call["id"]}
            item |= {"name": call["tool"], "input": call["raw"]}
        else:
            item = {"type": "function_call", "id": f"fc_{call['id']}", "call_id": call["id"]}
            item |= {"name": call["tool"], "arguments": json.dumps(call["input"])}
            item |= {"namespace": call["namespace"]} if "namespace" in call else {}
        item["status"] = "completed"
        usage = {"input_tokens": 10, "output_tokens": 10, "total_tokens": 20}
        usage_more = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        response = {"id": f"resp_{time.time_ns()}", "object": "response", "created_at": int(time.time())}
        response |= {"model": body.get("model"), "status": "completed", "output": [item], "usage": usage | usage_more}
        events: list[Json] = [
            {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}},
            {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress"}},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": response},
        ]
        if not body.get("stream"):
            return self._send(response)
        return self._stream([{**one, "sequence_number": n} for n, one in enumerate(events)], named=True)

    def _chat(self, body: Json, said: str, call: Json | None) -> None:
        base = {"id": f"chatcmpl-{time.time_ns()}", "created": int(time.time()), "model": body.get("model")}
        message: Json = {"role": "assistant", "content": said if call is None else None}
        if call is not None:
            function = {"name": call["tool"], "arguments": json.dumps(call["input"])}
            message["tool_calls"] = [{"index": 0, "id": call["id"], "type": "function", "function": function}]
        stop = "stop" if call is None else "tool_calls"
        usage = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
        if not body.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": stop}
            return self._send({**base, "object": "chat.completion", "usage": usage, "choices": [choice]})
        chunks: list[Json] = [
            {**base, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
            for delta, end in ((message, None), ({}, stop))
        ]
        chunks[-1]["usage"] = usage
        return self._stream(chunks, named=False, ending="data: [DONE]\n\n")

    def _gemini(self, path: str, said: str, call: Json | None) -> None:
        part: Json = {"text": said}
        if call is not None:
            part = {"functionCall": {"name": call["tool"], "args": call["input"], "id": call["id"]}}
        candidate = {"index": 0, "content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}
        usage = {"promptTokenCount": 10, "candidatesTokenCount": 10, "totalTokenCount": 20}
        answer = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "scripted"}
        if "stream" in path:
            return self._stream([answer], named=False)
        return self._send(answer)

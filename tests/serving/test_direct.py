"""The shorter way to an endpoint against FastAPI's own: the same answer to whatever is sent."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from served import FakeModel, ask

from kobert_hf_emotion.serving import ServingOptions
from kobert_hf_emotion.serving.direct import Direct

BODIES: dict[str, tuple[str, bytes]] = {
    "a text": ("/predict", '{"texts": ["좋아", "싫어"]}'.encode()),
    "escaped": ("/predict", json.dumps({"texts": ["좋아 🎉", "\n\0"]}).encode()),
    "no texts": ("/predict", b'{"texts": []}'),
    "null": ("/predict", b'{"texts": ["a"], "contexts": null, "long": null, "stride": null}'),
    "one that fails": ("/predict", b'{"texts": ["a", "fail"]}'),
    "all fail": ("/predict", b'{"texts": ["fail"]}'),
    "the same name twice": ("/predict", '{"texts": ["a"], "texts": ["좋아"]}'.encode()),
    "a name that is none": ("/predict", b'{"texts": ["a"], "text": "b"}'),
    "a number": ("/predict", b'{"texts": ["a", 3]}'),
    "half a pair": ("/predict", b'{"texts": ["a", "\\ud83d"]}'),
    "a stride alone": ("/predict", b'{"texts": ["a"], "stride": 1}'),
    "a stride of a fraction": ("/predict", b'{"texts": ["a"], "long": "cut", "stride": 1.0}'),
    "a stride in words": ("/predict", b'{"texts": ["a"], "stride": "1"}'),
    "a stride that is true": ("/predict", b'{"texts": ["a"], "stride": true}'),
    "turns": ("/predict", b'{"texts": ["a"], "contexts": [["b"]]}'),
    "too many": ("/predict", json.dumps({"texts": ["a"] * 9}).encode()),
    "a mark of its order": ("/predict", b"\xef\xbb\xbf" + b'{"texts": ["a"]}'),
    "utf-16": ("/predict", '{"texts": ["a"]}'.encode("utf-16")),
    "cp949": ("/predict", '{"texts": ["좋아"]}'.encode("cp949")),
    "half": ("/predict", b'{"texts": ["a"]'),
    "more": ("/predict", b'{"texts": ["a"]} x'),
    "spaces": ("/predict", b' \n{"texts" : ["a"] }\t'),
    "a comma": ("/predict", b'{"texts": ["a"],}'),
    "a control character": ("/predict", b'{"texts": ["a\x01"]}'),
    "nothing": ("/predict", b""),
    "a list": ("/predict", b"[]"),
    "deep": ("/predict", b'{"texts": ' + b"[" * 300 + b"]" * 300 + b"}"),
    "one input": ("/", '{"inputs": "좋아"}'.encode()),
    "inputs": ("/", '{"inputs": ["좋아", "a"], "parameters": {"top_k": 1}}'.encode()),
    "top_k in words": ("/", b'{"inputs": "a", "parameters": {"top_k": "1"}}'),
    "top_k of a fraction": ("/", b'{"inputs": "a", "parameters": {"top_k": 1.0}}'),
    "top_k of 1.5": ("/", b'{"inputs": "a", "parameters": {"top_k": 1.5}}'),
    "top_k of 0": ("/", b'{"inputs": "a", "parameters": {"top_k": 0}}'),
    "another function": ("/", b'{"inputs": "a", "parameters": {"function_to_apply": "sigmoid"}}'),
    "no number": ("/", b'{"inputs": "a", "options": {"a": NaN, "b": 1e999, "c": 123456789012345678901234567890}}'),
    "names that are none": ("/", b'{"inputs": "a", "b": 1}'),
    "a text that fails": ("/", b'{"inputs": ["a", "fail"]}'),
    "an input that is none": ("/", b'{"inputs": 1}'),
}


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[httpx.Response, httpx.Response]]:
    """What the shorter way and FastAPI's answer; a type of body with a character set is not plain."""

    async def talk(client: httpx.AsyncClient) -> Any:
        found = {}
        for name, (path, body) in BODIES.items():
            kinds = ("application/json", "application/json; charset=utf-8")
            found[name] = [await client.post(path, content=body, headers={"content-type": kind}) for kind in kinds]
        return found

    return ask(FakeModel(), talk, ServingOptions(max_texts=8))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", BODIES)
def test_both_ways_answer_the_same(name: str, answers: dict[str, tuple[httpx.Response, httpx.Response]]) -> None:
    ours, fastapis = answers[name]
    assert (ours.status_code, ours.content) == (fastapis.status_code, fastapis.content)
    assert ours.headers == fastapis.headers


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/plain", b'{"texts": ["a"]}'), ("", b'{"texts": ["a"]}'), ("application/json", b'{"texts": ["a"')],
)
def test_what_is_not_plain_goes_on_as_it_came(kind: str, body: bytes) -> None:
    answer = ask(FakeModel(), lambda c: c.post("/predict", content=body, headers={"content-type": kind}))
    assert answer.status_code == 422
    assert answer.json()["error"]


def test_plain_requests_are_not_handled_by_fastapi(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nothing above is compared."""
    passed: list[str] = []
    plain = Direct.__call__

    async def counted(self: Direct, scope: Any, receive: Any, send: Any) -> None:
        application = self._app

        async def note(*asked: Any) -> None:
            passed.append(asked[0]["path"])
            await application(*asked)

        self._app = note
        try:
            await plain(self, scope, receive, send)
        finally:
            self._app = application

    monkeypatch.setattr(Direct, "__call__", counted)

    async def talk(client: httpx.AsyncClient) -> None:
        passed.clear()
        assert (await client.post("/predict", json={"texts": ["a"]})).status_code == 200
        assert (await client.post("/", json={"inputs": "a"})).status_code == 200
        assert passed == []
        assert (await client.post("/predict", json={"texts": 1})).status_code == 422
        assert passed == ["/predict"]

    ask(FakeModel(), talk)

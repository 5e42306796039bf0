"""Faults of the delivery: the answer is cut, slow, lost or replaced. What HTTP forbids is written straight to the connection."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from kagglekit.practice.faults.answer import Answer, made
from kagglekit.practice.faults.rules import Rule


class Sink(Protocol):
    """The connection to the client."""

    async def answer(self, answer: Answer) -> None:
        """Send a whole answer as it should be; the connection stays."""

    async def head(self, answer: Answer) -> None:
        """Write status and headers as they are, right or wrong."""

    async def write(self, body: bytes, frame: bool = False) -> None:
        """Write bytes of the body; in a frame of chunked encoding where asked."""

    async def end(self, reset: bool = False) -> None:
        """Close the connection, or reset it."""

    async def wait(self, seconds: float) -> None:
        """Stay silent so long, or until the client goes."""

    def gone(self) -> bool:
        """Whether the client has gone."""


Deliver = Callable[[Sink, Rule, Answer | None], Awaitable[None]]


@dataclass(frozen=True)
class Delivery:
    """A fault of the delivery; `asks` tells whether the arena carries the request out (the answer is None where it does not)."""

    at: str | tuple[str, ...]
    asks: bool
    deliver: Deliver


DELIVERY: dict[str, Delivery] = {}


def delivery(name: str, at: str | tuple[str, ...] = "store", asks: bool = True) -> Callable[[Deliver], Deliver]:
    """Register a fault of the delivery under its name, with its usual place."""

    def decorate(deliver: Deliver) -> Deliver:
        DELIVERY[name] = Delivery(at, asks, deliver)
        return deliver

    return decorate


def _cut(rule: Rule, answer: Answer) -> int:
    """Where the body is cut: at `bytes`, else in the middle."""
    return min(int(rule.get("bytes", len(answer.body) // 2)), len(answer.body))


@delivery("truncate")
async def truncate(sink: Sink, rule: Rule, answer: Answer) -> None:
    """The headers of the whole, `bytes` of the body, then the connection is closed. A shorter body comes whole."""
    await sink.head(answer)
    await sink.write(answer.body[:_cut(rule, answer)])
    await sink.end()


@delivery("reset")
async def reset(sink: Sink, rule: Rule, answer: Answer) -> None:
    """As truncate, but the connection is reset; with `"headers": false` before anything was answered."""
    if rule.get("headers", True):
        await sink.head(answer)
        await sink.write(answer.body[:_cut(rule, answer)])
    await sink.end(reset=True)


@delivery("drip")
async def drip(sink: Sink, rule: Rule, answer: Answer) -> None:
    """`bytes_per_second`, twenty times a second."""
    piece = max(int(rule.get("bytes_per_second", 1000)) // 20, 1)
    await sink.head(answer)
    for start in range(0, len(answer.body), piece):
        if sink.gone():
            break
        await sink.write(answer.body[start:start + piece])
        await asyncio.sleep(0.05)
    await sink.end()


@delivery("wrong-length")
async def wrong_length(sink: Sink, rule: Rule, answer: Answer) -> None:
    """A Content-Length that is `by` more (less where negative) than the body has."""
    await sink.head(answer.having(content_length=str(max(len(answer.body) + int(rule.get("by", 100)), 0))))
    await sink.write(answer.body)
    await sink.end()


@delivery("no-length")
async def no_length(sink: Sink, rule: Rule, answer: Answer) -> None:
    """No Content-Length, and the connection is closed after `bytes`; chunked, or with `"chunked": false` so that no client can see the cut."""
    chunked, cut = bool(rule.get("chunked", True)), _cut(rule, answer)
    await sink.head(answer.having(content_length=None, accept_ranges=None, transfer_encoding="chunked" if chunked else None))
    await sink.write(answer.body[:cut], frame=chunked)
    if chunked and cut == len(answer.body):
        await sink.write(b"", frame=True)
    await sink.end()


@delivery("lost-answer", at="CreateSubmission")
async def lost_answer(sink: Sink, rule: Rule, answer: Answer) -> None:
    """The request is carried out; then, after `seconds`, the connection is closed (`reset`: reset) without an answer."""
    await sink.wait(float(rule.get("seconds", 0)))
    await sink.end(reset=bool(rule.get("reset")))


@delivery("no-answer", at="any", asks=False)
async def no_answer(sink: Sink, rule: Rule, answer: None) -> None:
    """The request is taken and not carried out; nothing comes for `seconds`, then the connection is closed."""
    await sink.wait(float(rule.get("seconds", 3600)))
    await sink.end()


@delivery("status", at="any", asks=False)
async def status(sink: Sink, rule: Rule, answer: None) -> None:
    """Another answer: `code`, as Kaggle's JSON with `message` or as a page where `html`; `retry_after` seconds. The request is not carried out."""
    code, message = int(rule.get("code", 503)), str(rule.get("message", "Something went wrong"))
    if rule.get("html"):
        body = f"<!DOCTYPE html>\n<html><head><title>{code}</title></head><body><p>{message}</p></body></html>\n"
        told = made(code, body.encode(), "text/html; charset=utf-8")
    else:
        told = made(code, json.dumps({"code": code, "message": message}).encode(), "application/json")
    wait = rule.get("retry_after")
    await sink.answer(told if wait is None else told.having(retry_after=str(wait)))


@delivery("daily-limit", at="CreateSubmission", asks=False)
async def daily_limit(sink: Sink, rule: Rule, answer: None) -> None:
    """The day's submissions are used up."""
    message = rule.get("message", f"You have reached the daily limit of {rule.get('limit', 5)} submissions. Resets at midnight UTC.")
    await sink.answer(made(400, json.dumps({"code": 400, "message": message}).encode(), "application/json"))


@delivery("expired-token", at="calls", asks=False)
async def expired_token(sink: Sink, rule: Rule, answer: None) -> None:
    """The login is not taken any more."""
    await sink.answer(made(401, json.dumps({"code": 401, "message": str(rule.get("message", "Unauthenticated"))}).encode(), "application/json"))

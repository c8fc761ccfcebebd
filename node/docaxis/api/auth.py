"""Who may call: the holder of the node's token, at an address that is the node's.

A bearer token compared in constant time, and the Host header, so that no web page can reach the API through a name
that it made point here (DNS rebinding). There are no cookies, sessions or cross-origin headers, and none may be added.
"""

import hmac
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from docaxis.core.errors import TheirFault

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def guard(token: str, hosts: frozenset[str]) -> Middleware:
    """A middleware that lets a request pass when its Host is loopback or among `hosts` and its token is `token`."""
    assert token, "a node without a token would serve anybody"
    expected = token.encode()
    allowed = LOOPBACK | {host.lower() for host in hosts}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if host_of(request.headers.get("Host", "")) not in allowed:
            raise TheirFault("request.host", "the Host header names another address than this node's")
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        # the scheme's name is not case-sensitive (RFC 9110 §11.1); the token is
        same = hmac.compare_digest(given.strip(" ").encode("utf-8", "surrogateescape"), expected)
        if scheme.lower() != "bearer" or not same:
            raise TheirFault("request.unauthorised", "send the header Authorization: Bearer …")
        return await handler(request)

    return check


def host_of(header: str) -> str:
    """The host of a Host header, without its port and without the brackets of an IPv6 address."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()

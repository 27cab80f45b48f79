"""An identity provider that lies in one way at a time: the protocol's server side, a few answers changed."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.team.provider import CLIENT

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
Answer = tuple[int, Any]


class Liar:
    """What it says can be changed: `claims` of the token, `told` at userinfo, whole `answers` by path."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.claims: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.header: dict[str, Any] = {"kid": "one"}
        self.config: dict[str, Any] = {}
        self.answers: dict[str, Callable[[], Answer]] = {}
        self.sign: Callable[[dict[str, Any]], Any] = self.signed
        self.done = threading.Event()

    def answer(self, path: str) -> Answer:
        """(status, JSON or bytes) for a path."""
        return (
            self.answers[path]()
            if path in self.answers
            else getattr(self, f"on_{path.split('/')[-1].replace('-', '_')}")()
        )

    def on_openid_configuration(self) -> Answer:
        config = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return 200, {name: value for name, value in (config | self.config).items() if value is not None}

    def on_keys(self) -> Answer:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        return 200, {"keys": [key | {"kid": "one", "alg": "RS256", "use": "sig"}]}

    def on_token(self) -> Answer:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "mallory", "iat": now, "exp": now + 300}
        return 200, {"access_token": "at-of-the-liar", "id_token": self.sign(claims | self.claims)}

    def signed(self, claims: dict[str, Any]) -> str:
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, KEY, "RS256", headers=self.header)

    def on_userinfo(self) -> Answer:
        return 200, {"sub": "mallory", "preferred_username": "mallory"} | self.told


@contextmanager
def lying() -> Iterator[Liar]:
    """A liar on loopback, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            self.rfile.read(length)
            status, body = liar.answer(self.path.partition("?")[0])
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                pass  # the reader had enough of waiting

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    liar = Liar(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield liar
    finally:
        liar.done.set()
        server.shutdown()
        server.server_close()
        thread.join()

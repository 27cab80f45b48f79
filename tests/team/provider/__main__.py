"""Starts the provider: a key, a database, the one client that it knows, and a server."""

import os
import socketserver
import wsgiref.simple_server
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def make_key(file: Path) -> None:
    """A new RSA key, with which this provider signs."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    """Answers several at once."""

    daemon_threads = True


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    """Says nothing of what it is asked."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def main() -> None:
    """Serves until it is ended."""
    make_key(Path(os.environ["PROVIDER_FOLDER"]) / "key.pem")
    import django
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from tests.team.provider import CLIENT, SECRET

    django.setup()
    call_command("migrate", verbosity=0)
    from oauth2_provider.models import Application

    Application.objects.create(
        name="Culprit",
        client_id=CLIENT,
        client_secret=SECRET,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=os.environ["PROVIDER_REDIRECTS"],
        algorithm=Application.RS256_ALGORITHM,
        skip_authorization=True,
    )
    port = int(os.environ["PROVIDER_PORT"])
    with wsgiref.simple_server.make_server(
        "127.0.0.1", port, get_wsgi_application(), server_class=Server, handler_class=Quiet
    ) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()

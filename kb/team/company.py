"""Signing in with the company's identity provider (OpenID Connect), and what is refused of what it says."""

import hashlib
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import jwt
from allauth.account.internal.decorators import login_not_required
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base import Provider
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from kb.team.roles import Role
from kb.team.watching import REFUSED, count

log = logging.getLogger(__name__)
ID = "company"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY = 60  # seconds that the provider's clock may be off
SCOPES = ("openid", "profile", "email")
LONGEST = 150  # characters of a name
SILENT = "It can't be reached, answers with an error, or takes too long."
# What an answer that isn't as the protocol wants it makes of the code that reads it.
NONSENSE = (jwt.PyJWTError, KeyError, TypeError, ValueError, AttributeError)


class Failed(OAuth2Error):
    """The provider is away, or says what makes no sense. The words hold nothing of what it said."""


class Connection(OpenIDConnectOAuth2Adapter):
    """One conversation with the provider. All that it answers is looked at before it is used."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says of itself, for the issuer that was set and no other."""
        if not hasattr(self, "_checked"):
            config = self.asked(self.get_provider().server_url)
            if not same(config.get("issuer"), settings.OIDC_ISSUER):
                raise Failed("It says that it is another issuer than OIDC_ISSUER.")
            secure = settings.OIDC_ISSUER.startswith("https://")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                url = config.get(name)
                if not isinstance(url, str) or urlsplit(url).scheme not in (
                    {"https"} if secure else {"https", "http"}
                ):
                    raise Failed(f"Its configuration has no {name} that could be used.")
            self._checked = config
        return self._checked

    def asked(self, url: str, **headers: str) -> dict[str, Any]:
        """The JSON object at an address. Raises Failed."""
        try:
            with get_session() as session:
                answer = session.get(url, headers=headers)
                answer.raise_for_status()
                found = answer.json()
        except OSError as error:  # all that `requests` raises; a body that is no JSON, too
            raise Failed(
                "It sends something else than JSON." if isinstance(error, ValueError) else SILENT
            ) from error
        if not isinstance(found, dict):
            raise Failed("It sends something else than a JSON object.")
        return found

    def get_access_token_data(self, *args: Any, **kwargs: Any) -> Any:
        """The answer of the token endpoint, for a code that is good once."""
        try:
            return super().get_access_token_data(*args, **kwargs)
        except OSError as error:
            raise Failed(SILENT) from error
        except (OAuth2Error, *NONSENSE) as error:
            raise Failed(
                "It takes neither the code that it gave nor this site's credentials, or answers nonsense."
            ) from error

    def parse_token(self, data: Any) -> SocialToken:
        """Used once, in this request, and kept nowhere."""
        return SocialToken(token=str(data["access_token"]))

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        """Who it is. The signed token decides; what else the provider tells must be about the same person."""
        claims = self.signed(kwargs["response"].get("id_token"))
        if isinstance(self.openid_config.get("userinfo_endpoint"), str):
            told = self.asked(self.profile_url, Authorization=f"Bearer {token.token}")
            if told.get("sub") != claims["sub"]:
                raise Failed("It tells of another person than the one who signed in.")
            claims |= told
        login: SocialLogin = self.get_provider().sociallogin_from_response(request, claims)
        login.roles = roles_in(claims)
        return login

    def signed(self, token: Any) -> dict[str, Any]:
        """What the id token says, if this provider signed it, for this site, and it is still good."""
        try:
            head = jwt.get_unverified_header(token)
            if head["alg"] not in ALGORITHMS:
                raise Failed("Its token is signed in a way that isn't safe.")
            keys = jwt.PyJWKSet.from_dict(self.asked(self.openid_config["jwks_uri"])).keys
            fitting = [key for key in keys if head.get("kid") in (None, key.key_id)]
            claims: dict[str, Any] = jwt.decode(
                token,
                fitting[0],
                algorithms=[head["alg"]],
                audience=settings.OIDC_CLIENT_ID,
                issuer=self.openid_config["issuer"],
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (*NONSENSE, IndexError) as error:
            raise Failed("Its token is not signed by it, not for this site, too old, or torn.") from error
        if claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID or not claims["sub"]:
            raise Failed("Its token is for another site.")
        return claims


def get_session() -> Any:
    """A client of `requests` that waits five seconds at most for each answer."""
    return CompanyAdapter().get_requests_session()


def same(said: Any, wanted: str) -> bool:
    """Are these the same issuer, whether one ends with a slash or not?"""
    return isinstance(said, str) and said.rstrip("/") == wanted.rstrip("/")


def roles_in(claims: dict[str, Any]) -> set[Role]:
    """The roles that the groups stand for. A claim that is neither a word nor a list of words is none."""
    said = claims.get(settings.OIDC_GROUPS_CLAIM)
    groups = [said] if isinstance(said, str) else said
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        return set()
    return {settings.OIDC_ROLES[group] for group in groups if group in settings.OIDC_ROLES}


class Company(OpenIDConnectProvider):
    """The provider of the settings. No e-mail address that it claims leads to an account."""

    oauth2_adapter_class = Connection
    pkce_enabled_default = True

    def get_default_scope(self) -> list[str]:
        return list(SCOPES)

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """Where to go afterwards, and nothing else that a link might ask for."""
        asked: dict[str, Any] = Provider.get_redirect_from_request_kwargs(self, request)
        return asked | {"process": AuthProcess.LOGIN}

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Issuer and subject together: the same subject of another issuer is another person."""
        name = f"{settings.OIDC_ISSUER.rstrip('/')}\n{data['sub']}"
        return hashlib.sha256(name.encode()).hexdigest()

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        return []

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, str]:
        """The names that could be read, short and printable."""
        names = {
            "username": "preferred_username",
            "email": "email",
            "name": "name",
            "first_name": "given_name",
            "last_name": "family_name",
        }
        said = {field: data.get(claim) for field, claim in names.items()}
        return {
            field: "".join(filter(str.isprintable, words))[:LONGEST].strip()
            for field, words in said.items()
            if isinstance(words, str)
        }


class CompanyAdapter(DefaultSocialAccountAdapter):
    """Knows one provider, that of the settings, and nobody's tokens."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        if not settings.OIDC_ISSUER or provider not in (None, ID, Company.id):
            return []
        app = SocialApp(
            provider=Company.id,
            provider_id=ID,
            name=settings.OIDC_NAME,
            client_id=settings.OIDC_CLIENT_ID,
            secret=settings.OIDC_CLIENT_SECRET,
            settings={"server_url": settings.OIDC_ISSUER.rstrip("/")},
        )
        return [app]

    def get_provider(self, request: HttpRequest, provider: Any, client_id: Any = None) -> Company:
        return Company(request, app=self.get_app(request, provider=provider, client_id=client_id))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Any = None,
        extra_context: Any = None,
    ) -> None:
        """The page that says what went wrong and what to do; one line in the log, without what was said."""
        why, status = "provider", 502
        words = str(exception) if isinstance(exception, Failed) else SILENT
        if error == AuthError.CANCELLED:
            why, status = "cancelled", 401
        elif exception is None and "state_id" in (extra_context or {}):
            why, status = "used", 401
        elif exception is None:
            words = "It refused to let you in."
        if why == "provider":
            count(REFUSED, None, "through the identity provider")
            log.warning("Signing in through the identity provider failed. %s", words)
        context = {"why": why, "words": words, "name": settings.OIDC_NAME}
        raise ImmediateHttpResponse(render(request, "team/not_signed_in.html", context, status=status))


def conversation(request: HttpRequest, view: Callable[[Connection], Any]) -> HttpResponseBase:
    """What a step of the protocol answers, or the page that says why it can't go on."""
    if not settings.OIDC_ISSUER:
        raise Http404("There is no identity provider.")
    connection = Connection(request, ID)
    try:
        answer: HttpResponseBase = view(connection)(request)
    except OAuth2Error as error:
        answer = render_authentication_error(request, connection.get_provider(), exception=error)
    return answer


@login_not_required
@never_cache
@require_POST
def company(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """The way to the provider: a page that goes on by itself.

    A redirect would be an answer to a form, and the security policy lets forms lead to this site alone.
    """
    answer = conversation(request, OAuth2LoginView.adapter_view)
    if not isinstance(answer, HttpResponse) or answer.status_code != 302:
        return answer
    return render(request, "team/leaving.html", {"url": answer["Location"], "name": settings.OIDC_NAME})


@login_not_required
@never_cache
@require_safe
def callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """The way back from the provider, good once."""
    return conversation(request, OAuth2CallbackView.adapter_view)

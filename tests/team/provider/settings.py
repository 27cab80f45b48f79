"""Settings of the provider; its folder, port and key come from the process that starts it."""

import os
from pathlib import Path

FOLDER = Path(os.environ["PROVIDER_FOLDER"])
ADDRESS = f"http://127.0.0.1:{os.environ['PROVIDER_PORT']}"
KEY = FOLDER / "key.pem"

SECRET_KEY = "of a provider that lives for some seconds"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "oauth2_provider",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "tests.team.provider.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "provider.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SESSION_COOKIE_NAME = "provider_session"  # cookies don't tell ports apart
LOGIN_URL = "/login/"
USE_TZ = True
OAUTH2_PROVIDER = {
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": f"{ADDRESS}/o",
    "OIDC_RSA_PRIVATE_KEY": KEY.read_text() if KEY.exists() else "",
    "OAUTH2_VALIDATOR_CLASS": "tests.team.provider.claims.Validator",
    "PKCE_REQUIRED": True,
    "SCOPES": {"openid": "who you are", "profile": "your name", "email": "your address"},
}

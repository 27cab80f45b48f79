"""All settings of the site; what the environment may say is read by kb.environment."""

import sys
from pathlib import Path

from csp.constants import NONE, SELF

from kb.environment import (
    env_beside,
    env_bool,
    env_count,
    env_database,
    env_hosts,
    env_issuer,
    env_llm,
    env_mail,
    env_port,
    env_roles,
    env_secret,
    env_sender,
    env_site,
    env_targets,
    env_webhooks,
    env_words,
)

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = BASE_DIR / "var"  # the embedded database and the generated secret; never committed
CONTENT_DIR = BASE_DIR / "content"

DEBUG = env_bool("DEBUG", default=False)
SECRET_KEY = env_secret("SECRET_KEY", STATE_DIR / "secret-key")
ALLOWED_HOSTS = env_hosts("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
PORT = env_port("PORT", default=8000)
# What the checker may call, next to the targets that administrators keep. Unset: this machine alone.
CULPRIT_TARGETS = env_targets("CULPRIT_TARGETS")
CULPRIT_ALTCHA = env_bool("CULPRIT_ALTCHA", default=False)  # report forms ask for a proof of work
CULPRIT_REPORTS = env_count("CULPRIT_REPORTS", default=6, most=100_000)  # a minute, of one address
# Proxies of one's own in front, whose word on who asks is believed (kb.web.throttle.address).
CULPRIT_PROXIES = env_count("CULPRIT_PROXIES", default=0, most=10, least=0)
HTTPS = env_bool("HTTPS", default=False)  # the site is served over HTTPS alone
CULPRIT_URL = env_site("CULPRIT_URL", default=f"http://127.0.0.1:{PORT}")  # what links in notices begin with
# Where notices may be posted. Unset: any public https address.
CULPRIT_WEBHOOKS = env_webhooks("CULPRIT_WEBHOOKS")
# A language model that may be asked about texts that nothing fits, on a click. Unset: none.
CULPRIT_LLM = env_llm("CULPRIT_LLM_URL", "CULPRIT_LLM_KEY", "CULPRIT_LLM_MODEL")
CULPRIT_KEEP_DAYS = env_count("CULPRIT_KEEP_DAYS", default=400, most=36_500)
CULPRIT_PRIVATE = env_bool("CULPRIT_PRIVATE", default=False)  # everything needs sign-in
# Who may write, decide or administer needs a second factor, unless the identity provider signed them in.
CULPRIT_SECOND_FACTOR = env_bool("CULPRIT_SECOND_FACTOR", default=False)
OIDC_ISSUER = env_issuer("OIDC_ISSUER")  # the company's identity provider; unset: passwords alone
OIDC_CLIENT_ID = env_beside("OIDC_CLIENT_ID", "OIDC_ISSUER")
OIDC_CLIENT_SECRET = env_beside("OIDC_CLIENT_SECRET", "OIDC_ISSUER")
OIDC_NAME = env_words("OIDC_NAME", default="your company account")
OIDC_ROLES = env_roles("OIDC_ROLES")
OIDC_GROUPS_CLAIM = env_words("OIDC_GROUPS_CLAIM", default="groups")

INSTALLED_APPS = [
    "whitenoise.runserver_nostatic",
    "kb.team.apps.Administration",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "kb.web",
    "kb.audit",
    "kb.guides",
    "kb.notices",  # before django_tasks_db, whose db_worker it extends
    "django_tasks",
    "django_tasks_db",
    "kb.checker",
    "kb.evidence",
    "kb.team",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "allauth.usersessions",
]

MIDDLEWARE = [
    "kb.web.middleware.Health",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "kb.web.middleware.DatabaseAway",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "kb.team.tokens.Bearer",
    "kb.team.private.Private",
    "kb.team.second_factor.SecondFactor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "kb.web.middleware.NotThatWay",
]

ROOT_URLCONF = "kb.urls"
WSGI_APPLICATION = "kb.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["django.templatetags.static"],
        },
    },
]

DATABASES = {"default": env_database("DATABASE_URL", STATE_DIR / "culprit.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

# Signing in: allauth, spoken to in kb.team.accounts (passwords, second factors) and kb.team.company (OIDC).
AUTHENTICATION_BACKENDS = ["kb.team.accounts.Backend"]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"
ALLAUTH_TRUSTED_PROXY_COUNT = CULPRIT_PROXIES  # the adapter's get_client_ip counts as the rest of the site
ACCOUNT_ADAPTER = "kb.team.accounts.AccountAdapter"
ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False  # who may not see a page signs in as somebody who may
ACCOUNT_EMAIL_VERIFICATION = SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key"}
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_UNIQUE_EMAIL = False  # an e-mail address names nobody here
MFA_ADAPTER = "kb.team.accounts.FactorAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "kb.team.watching.CodeForm",
    "reauthenticate": "kb.team.watching.ConfirmingCodeForm",
    "authenticate_webauthn": "kb.team.watching.PasskeyForm",
    "reauthenticate_webauthn": "kb.team.watching.ConfirmingPasskeyForm",
    "login_webauthn": "kb.team.watching.PasskeyAloneForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Culprit"
MFA_TOTP_TOLERANCE = 1  # a telephone's clock may be half a minute off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # browsers allow it on localhost alone
SOCIALACCOUNT_ADAPTER = "kb.team.company.CompanyAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5

# Tries at a password are counted for all processes together; what is asked of a page, in each by itself.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    if "pytest" in sys.modules
    else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "culprit_cache"},
    "process": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # a count that is dropped is a limit that is lifted
    },
}

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

_mail = env_mail("EMAIL_URL")
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.ssl, _mail.starttls
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env_sender("EMAIL_FROM", needed=bool(_mail.host))

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
# Tests read no collected files, which another process may be collecting just then.
STATIC_ROOT = STATE_DIR / ("static-of-tests" if "pytest" in sys.modules else "static")
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or "pytest" in sys.modules
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "kb.web.views.forbidden"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
# A pasted text may be 1 MB, and takes up to three times that when it is URL-encoded; the form
# counts its bytes and answers a larger one itself, with the text kept.
DATA_UPLOAD_MAX_MEMORY_SIZE = 12_000_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"short_refusals": {"()": "kb.web.logs.ShortRefusals"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["short_refusals"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

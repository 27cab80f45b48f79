"""The way in and out, and a person's own pages. Of allauth's pages, only those that are named here exist."""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import path
from django.views.decorators.cache import never_cache

from kb.team import company, me, token_views
from kb.team.signing_in import SignIn, sign_out

urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="sign_in"),
    path("sign-in/", SignIn.as_view(), name="account_login"),
    path("sign-in/off/", account.account_inactive, name="account_inactive"),
    path("sign-in/second-factor/", factors.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/with/<slug:provider_id>/", company.company, name="openid_connect_login"),
    path("sign-in/with/<slug:provider_id>/callback/", company.callback, name="openid_connect_callback"),
    path("sign-out/", sign_out, name="sign_out"),
    path("sign-out/", sign_out, name="account_logout"),
    path("me/", me.me, name="me"),
    path("me/data.json", me.export, name="me_export"),
    path("me/erase/", me.erase_me, name="me_erase"),
    path("me/sessions/end/", me.end_others, name="me_end_others"),
    path("me/sessions/<int:pk>/end/", me.end_session, name="me_end_session"),
    path("me/tokens/", token_views.my_tokens, name="me_tokens"),
    path("me/tokens/<int:pk>/revoke/", token_views.revoke_mine, name="me_token_revoke"),
    path("me/password/", never_cache(me.password), name="account_change_password"),
    path("me/confirm/", never_cache(account.reauthenticate), name="account_reauthenticate"),
    path("me/confirm/code/", never_cache(factors.reauthenticate), name="mfa_reauthenticate"),
    path(
        "me/confirm/passkey/",
        never_cache(passkeys.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path("me/second-factor/", me.second_factor, name="mfa_index"),
    path("me/second-factor/app/", never_cache(totp.activate_totp), name="mfa_activate_totp"),
    path("me/second-factor/app/remove/", never_cache(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path(
        "me/second-factor/codes/",
        never_cache(recovery.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "me/second-factor/codes/new/",
        never_cache(recovery.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("me/second-factor/passkeys/", never_cache(passkeys.list_webauthn), name="mfa_list_webauthn"),
    path("me/second-factor/passkeys/add/", never_cache(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path(
        "me/second-factor/passkeys/<int:pk>/remove/",
        never_cache(passkeys.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
    path(
        "me/second-factor/passkeys/<int:pk>/name/",
        never_cache(passkeys.edit_webauthn),
        name="mfa_edit_webauthn",
    ),
]

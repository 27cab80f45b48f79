"""What the provider tells of a person."""

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):  # type: ignore[misc]
    """Tells user name, address and groups to whoever may ask."""

    oidc_claim_scope = None

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        claims = {
            "preferred_username": request.user.username,
            "groups": list(request.user.groups.values_list("name", flat=True)),
        }
        return claims | ({"email": request.user.email, "email_verified": True} if request.user.email else {})

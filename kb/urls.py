"""Every address of the site."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from kb.web import views
from kb.web.signing_in import SignIn

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("sign-in/", SignIn.as_view(), name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("admin/login/", SignIn.as_view()),  # in front of the admin's own, which counts no tries
    path("admin/", admin.site.urls),
    path("", include("kb.checker.urls")),
    path("", include("kb.evidence.urls")),
    path("", include("kb.team.urls")),
    path("", include("kb.audit.urls")),
    path("", include("kb.guides.urls")),
]

handler400 = views.bad_request
handler403 = views.forbidden
handler404 = "kb.guides.views.not_found"
handler500 = views.server_error

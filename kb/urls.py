"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from kb.web import views

urlpatterns = [
    path("", include("kb.team.account_urls")),
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

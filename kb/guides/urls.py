"""The library's addresses."""

from django.urls import path

from kb.guides import views
from kb.guides.changes_views import changed
from kb.guides.coverage_views import coverage
from kb.guides.sitemaps import robots, sitemap

urlpatterns = [
    path("", views.home, name="home"),
    path("errors/", views.browse, name="browse"),
    path("errors/<slug:tool>/", views.of_tool, name="of_tool"),
    path("errors/<slug:tool>/<slug:slug>/", views.guide, name="guide"),
    path("coverage/<slug:tool>/", coverage, name="coverage"),
    path("coverage/<slug:tool>/changes/", changed, name="changes"),
    path("categories/<slug:slug>/", views.category, name="category"),
    path("match/", views.match, name="match"),
    path("search/", views.search_page, name="search"),
    path("sitemap.xml", sitemap, name="sitemap"),
    path("robots.txt", robots, name="robots"),
]

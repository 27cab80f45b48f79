"""What the checker keeps: the proxies it may call, and the runs that people made. Never a key."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from kb.probes.address import Unusable, parts
from kb.probes.target import Allowed

LIFE = timedelta(days=7)


def networks_are_valid(value: Any) -> None:
    """Refuses what is no list of CIDRs."""
    if not isinstance(value, list) or not value:
        raise ValidationError('Give a list of networks, such as ["10.0.0.0/8"].')
    for text in value:
        try:
            ip_network(str(text))
        except ValueError as error:
            raise ValidationError(f"{text} is no network: {error}") from error


class Target(models.Model):
    """A proxy the checker may call; an administrator keeps it."""

    name = models.CharField(max_length=80, unique=True, help_text="What readers know it by")
    scheme = models.CharField(max_length=5, choices=[("https", "https"), ("http", "http")])
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(65535)])
    path = models.CharField(max_length=200, blank=True, help_text="A root path such as /llm")
    networks = models.JSONField(
        validators=[networks_are_valid],
        help_text='Networks that the name may resolve to, such as ["10.0.0.0/8"]',
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scheme__in=["http", "https"]), name="target_scheme_is_http_or_https"
            ),
            models.CheckConstraint(
                condition=models.Q(port__gte=1, port__lte=65535), name="target_port_is_a_port"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        """The address that is called."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    def clean(self) -> None:
        """Host and path as the guard compares them. Raises ValidationError for what could never be called."""
        self.host, self.path = self.host.strip("[]"), "/" + self.path.lstrip("/")
        try:
            at = parts(self.url)
        except Unusable as problem:
            raise ValidationError(str(problem)) from problem
        self.host, self.path = at.host, at.base_path

    def allowed(self) -> Allowed:
        """As the guard takes it."""
        networks = tuple(ip_network(text) for text in self.networks)
        return Allowed(self.scheme, self.host, self.port, networks, self.path)


def new_id() -> str:
    """A name that nobody guesses: the run is unlisted, and its address is all it takes to see it."""
    return secrets.token_urlsafe(18)


def in_a_week() -> datetime:
    """When a run is forgotten."""
    return timezone.now() + LIFE


class CheckRun(models.Model):
    """One run by a person: what was asked and what follows, without a secret in it."""

    id = models.CharField(primary_key=True, max_length=40, default=new_id, editable=False)
    created = models.DateTimeField(default=timezone.now, editable=False)
    expires = models.DateTimeField(default=in_a_week, db_index=True)
    asked = models.JSONField()
    diagnosis = models.JSONField()
    second = models.JSONField(null=True, help_text="The second look: its pause and its diagnosis")
    previous = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="later"
    )

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.diagnosis['target']} {self.created:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        """/check/runs/<id>/"""
        return reverse("check_run", args=[self.id])

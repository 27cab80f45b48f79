"""Who is told of what, and the notices that couldn't be sent."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from kb.audit.book import record
from kb.notices import address
from kb.notices.models import Delivery, Event, State, Subscription
from kb.notices.outbox import try_out
from kb.notices.tasks import send_again


def at(moment: datetime | None) -> str:
    """When, as the list says it; UTC as everywhere here."""
    return f" {moment:%d %b, %H:%M}" if moment else ""


class AddressInput(forms.TextInput):
    """Shows a mail address as it was typed; a web address may be a secret, and has to be pasted again."""

    def format_value(self, value: Any) -> Any:
        return None if address.is_url(str(value or "")) else super().format_value(value)


class SubscriptionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A subscription; a web address that is there stays unless another is given."""

    address = forms.CharField(
        max_length=500,
        required=False,
        widget=AddressInput(attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
        help_text="An e-mail address, or a web address that begins with https://.",
    )
    events = forms.MultipleChoiceField(choices=Event.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Subscription
        fields = ("name", "kind", "address", "events", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if address.is_url(self.instance.address):
            self.fields["address"].help_text = f"Now {self.instance.shown}. Leave empty to keep it."

    def clean_address(self) -> str:
        """What was typed, or what is there."""
        given = str(self.cleaned_data["address"]) or self.instance.address
        if not given:
            raise forms.ValidationError("Give an e-mail address, or a web address that begins with https://.")
        return given


@admin.register(Subscription)
class SubscriptionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who is told. The signing secret is shown once, right after the subscription was added."""

    form = SubscriptionForm
    list_display = ("name", "kind", "shown", "told", "active", "waiting", "given_up")
    list_filter = ("kind", "active")
    search_fields = ("name",)
    actions = ["send_test"]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Subscription]":
        """With the numbers of what waits and what was given up."""
        counted: QuerySet[Subscription] = super().get_queryset(request)
        return counted.annotate(
            waits=Count("deliveries", filter=Q(deliveries__state__in=[State.WAITING, State.SENDING])),
            dead=Count("deliveries", filter=Q(deliveries__state=State.DEAD)),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Of another kind is another subscription."""
        return ("kind",) if obj else ()

    @admin.display(description="address")
    def shown(self, subscription: Subscription) -> str:
        return subscription.shown

    @admin.display(description="told of")
    def told(self, subscription: Subscription) -> str:
        return ", ".join(subscription.events)

    @admin.display(description="waiting")
    def waiting(self, subscription: Any) -> int:
        return int(subscription.waits)

    @admin.display(description="given up")
    def given_up(self, subscription: Any) -> int:
        return int(subscription.dead)

    @admin.action(description="Send a test notice", permissions=["change"])
    def send_test(self, request: HttpRequest, chosen: "QuerySet[Subscription]") -> None:
        for subscription in chosen:
            try_out(subscription)
            page = reverse("admin:notices_subscription_change", args=[subscription.pk])
            record("notice.tested", request.user, f"subscription {subscription}", page)
        self.message_user(request, f"{len(chosen)} on the way: Deliveries says what came of it.")

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:
        """Whoever was at it has mended it: what comes next is sent at once."""
        obj.rests_until = None
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> Any:
        """Shows the signing secret; like all of the admin that page isn't cached."""
        return self.secret(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> Any:
        """An imported subscription has no secret; it gets one when it is saved with an address."""
        return self.secret(request, obj) or super().response_change(request, obj)

    def secret(self, request: HttpRequest, subscription: Subscription) -> HttpResponse | None:
        """The page that shows a secret that was just made."""
        if not subscription.fresh:
            return None
        context = {**self.admin_site.each_context(request), "title": "Signing secret"}
        return render(request, "admin/notices/secret.html", context | {"subscription": subscription})


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was told, what waits, and what was given up; the latter can be sent again."""

    list_display = ("subject", "subscription", "came_of_it", "tries", "created")
    list_filter = ("state", "event", "subscription")
    list_select_related = ("subscription",)
    search_fields = ("subject", "id")
    date_hierarchy = "created"
    actions = ["again"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="what came of it", ordering="state")
    def came_of_it(self, delivery: Delivery) -> str:
        """In one sentence: where it stands, when it is tried next, and what went wrong last."""
        if delivery.state == State.SENT:
            return f"Sent{at(delivery.sent)}"
        last = f": {delivery.error}" if delivery.error else ""
        if delivery.state == State.DEAD:
            return f"Given up{last}"
        if delivery.state == State.SENDING:
            return f"Being sent{last}"
        return f"Waits, tried next{at(delivery.due)}{last}"

    @admin.display(description="tries", ordering="attempts")
    def tries(self, delivery: Delivery) -> int:
        return delivery.attempts

    def has_again_permission(self, request: HttpRequest) -> bool:
        """Who may change deliveries may have them sent again; by hand nobody changes one."""
        return request.user.has_perm("notices.change_delivery")

    @admin.action(description="Send again those that were given up", permissions=["again"])
    def again(self, request: HttpRequest, chosen: Any) -> None:
        number = send_again(chosen)
        if number:
            page = reverse("admin:notices_delivery_changelist")
            record("notice.sent_again", request.user, "deliveries", page, number=number)
            self.message_user(request, f"{number} on the way again.")
        else:
            self.message_user(request, "None of these was given up.", messages.WARNING)

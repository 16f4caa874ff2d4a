"""What the settings know of receivers, as the delivery wants it: secrets as functions."""

from assets.alerts.addresses import Gate
from assets.alerts.telling import Receivers
from orchestration.settings import Settings, receiver


def receivers_of(settings: Settings) -> Receivers:
    """The receivers of a warehouse."""
    names = (name.strip().lower() for name in settings.allowed_hosts.split(","))
    smtp_url = settings.smtp_url
    return Receivers(
        outbox=settings.outbox,
        read=receiver,
        smtp_url=lambda: smtp_url.get_secret_value() if smtp_url else None,
        sender=settings.mail_from,
        link=settings.account_link,
        gate=Gate(allowed_hosts=frozenset(name for name in names if name)),
    )

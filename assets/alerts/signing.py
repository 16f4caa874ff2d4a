"""Signs what a webhook is sent, so that its receiver can tell it from anybody else's.

The signature is an HMAC-SHA256, under a shared secret, over the timestamp, a point and the body as
they were sent. A receiver computes it anew, compares in constant time, refuses what is older than a
few minutes, and does nothing for an idempotency key that it has seen:

    import hashlib, hmac, time

    def is_ours(secret: str, headers: dict[str, str], body: bytes) -> bool:
        stamp = headers["X-CSW-Timestamp"]
        signed = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
        is_fresh = abs(time.time() - int(stamp)) < 300
        expected = "sha256=" + signed.hexdigest()
        return is_fresh and hmac.compare_digest(expected, headers["X-CSW-Signature"])
"""

import hashlib
import hmac

SIGNATURE = "X-CSW-Signature"
TIMESTAMP = "X-CSW-Timestamp"
KEY = "Idempotency-Key"


def headers(body: bytes, *, key: str, timestamp: int, secret: str | None) -> dict[str, str]:
    """The headers of a message; without a secret it is not signed.

    Args:
        body: what is sent, byte by byte.
        key: the idempotency key, the same whenever the message is sent again.
        timestamp: seconds since 1970.
        secret: the shared secret.
    """
    made = {"Content-Type": "application/json", KEY: key, TIMESTAMP: str(timestamp)}
    return made | ({SIGNATURE: sign(secret, timestamp, body)} if secret else {})


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The signature of a body sent at a time."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"

"""The `webhook` and `slack` channels: posts a body to an address that was looked at before."""

import logging
from dataclasses import dataclass

import httpx

from assets.alerts.addresses import ForbiddenAddressError, Gate
from assets.alerts.telling import NotToldError, ReceiverDownError

# They log every URL, and the address of an incoming webhook is a secret.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_RETRYABLE = (408, 425, 429)


@dataclass(frozen=True, kw_only=True)
class HttpChannel:
    """Posts to one receiver; nothing that it says of a failure holds the receiver's URL."""

    name: str
    url: str
    gate: Gate
    seconds: float = 10.0

    def post(self, body: bytes, headers: dict[str, str]) -> None:
        """Posts a body, and comes back once the receiver has said that it has it.

        Raises:
            NotToldError: the receiver said no, or its address is not one to send to.
            ReceiverDownError: it can't be reached, or didn't answer in time.
        """
        url = self._checked_url()
        try:
            addresses = self.gate.addresses(url.host, url.port or _port(url))
        except ForbiddenAddressError as error:
            raise NotToldError(f"{self.name}: {error}") from None
        except OSError:
            raise ReceiverDownError(f"{self.name}: its name is not known") from None
        status = self._send(url, addresses, body, headers)
        if status // 100 == 5 or status in _RETRYABLE:
            raise ReceiverDownError(f"{self.name}: it answered {status}", is_brief=True)
        if status // 100 == 3:
            raise NotToldError(f"{self.name}: it answered {status}, and no redirect is followed")
        if status // 100 != 2:
            raise NotToldError(f"{self.name}: it answered {status}")

    def _checked_url(self) -> httpx.URL:
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL:
            raise NotToldError(f"{self.name}: its address is no URL") from None
        is_open = url.scheme == "http" and self.gate.is_allowed_by_name(url.host)
        if not url.host or not (url.scheme == "https" or is_open):
            raise NotToldError(
                f"{self.name}: its address must begin with https://, unless its name is allowed "
                "in CSW_ALLOWED_HOSTS"
            )
        return url

    def _send(
        self, url: httpx.URL, addresses: list[str], body: bytes, headers: dict[str, str]
    ) -> int:
        """The status that the first address answers that takes a connection."""
        # No proxy and no redirect: either would connect to an address that nobody looked at.
        with httpx.Client(timeout=self.seconds, trust_env=False, follow_redirects=False) as client:
            for address in addresses:
                try:
                    return self._answer(client, url, address, body, headers)
                except httpx.ConnectError:
                    continue
                except httpx.TimeoutException:
                    raise ReceiverDownError(
                        f"{self.name}: no answer within {self.seconds:g} s"
                    ) from None
                except httpx.HTTPError as error:
                    raise ReceiverDownError(
                        f"{self.name}: {type(error).__name__}", is_brief=True
                    ) from None
        raise ReceiverDownError(f"{self.name}: it takes no connection", is_brief=True)

    @staticmethod
    def _answer(
        client: httpx.Client, url: httpx.URL, address: str, body: bytes, headers: dict[str, str]
    ) -> int:
        pinned = {"Host": url.netloc.decode("ascii").rpartition("@")[2], **headers}
        request = client.build_request(
            "POST",
            url.copy_with(host=address),
            content=body,
            headers=pinned,
            # The certificate is the name's, not the address's.
            extensions={"sni_hostname": url.host},
        )
        response = client.send(request, stream=True)
        response.close()
        return response.status_code


def _port(url: httpx.URL) -> int:
    return 443 if url.scheme == "https" else 80

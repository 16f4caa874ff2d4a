"""Which addresses a message may go to: none inside our own network, unless allowed by name.

A name is resolved here, once, and the connection is made to the address that was looked at: asked
again, the name could answer with another one.
"""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddressError(Exception):
    """A name leads where no message may go; the message says where it leads, not the whole URL."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What is let through.

    Attributes:
        allowed_hosts: Names (or addresses) that may lead into our own network.
        resolve: Asks for the addresses of a name and port.
    """

    allowed_hosts: frozenset[str] = frozenset()
    resolve: Resolve = lambda host, port: resolve(host, port)

    def is_allowed_by_name(self, host: str) -> bool:
        """Whether somebody has allowed this very name."""
        return host.lower() in self.allowed_hosts

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a name, all of which were looked at.

        Raises:
            ForbiddenAddressError: one of them may not be reached.
            OSError: there is none.
        """
        found = self.resolve(host, port)
        if not self.is_allowed_by_name(host):
            for text in found:
                if not is_public(text):
                    raise ForbiddenAddressError(
                        f"{host} leads to {text}, which is inside a network; "
                        "allow the name in CSW_ALLOWED_HOSTS if it is meant"
                    )
        return found


def is_public(text: str) -> bool:
    """Whether an address is on the open internet, also one that hides another."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    hidden = _hidden(address)
    if hidden is not None:
        return is_public(str(hidden))
    return address.is_global and not (address.is_multicast or address.is_reserved)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the system's order.

    Raises:
        OSError: the name is not known.
    """
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def _hidden(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo

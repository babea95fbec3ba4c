"""Which addresses are of the public internet, and which a grant lists besides.

In: the text of an address, as a resolver gives it. Out: whether it may be connected to. What carries an IPv4 address
within (mapped, 6to4, Teredo) is not public but for NAT64's well-known prefix, by which networks without IPv4 reach
public hosts (RFC 6052): there the address within decides. Special addresses: RFC 6890 and the registries of IANA.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC_4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_NAT64 = IPv6Network("64:ff9b::/96")


def read_address(text: str) -> Address | None:
    """Return the address that a text spells, None when it spells none or one of a single link (`fe80::1%eth0`)."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks that texts spell (`10.1.0.0/16`; an address is a network of one); raises ValueError."""
    return tuple(ip_network(text) for text in texts)


def is_public(address: Address) -> bool:
    """Tell whether an address is one host's on the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)


def is_listed(address: Address, listed: Iterable[Network]) -> bool:
    """Tell whether an address is in one of the networks, as it is written."""
    return any(address.version == network.version and address in network for network in listed)


def may_reach(address: Address, listed: Iterable[Network]) -> bool:
    """Tell whether an address may be connected to: a public one, or one that is listed as it is written."""
    return is_public(address) or is_listed(address, listed)

"""Chooses the proxy for an address, by the variables of an environment that is given.

These are the rules of Docker and cosign (Go's package ``httpproxy``): this machine itself is never
asked through a proxy. ``ALL_PROXY`` counts too, as for requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

_SCHEMES = ("http", "https", "all")


def find_proxies(url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Give the proxies for ``url`` by scheme (``all``: any); none where ``NO_PROXY`` exempts it."""
    exempt = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if is_loopback(urlsplit(url).hostname or "") or _is_exempt(url, exempt):
        return {}
    proxies = {}
    for scheme in _SCHEMES:
        address = _read_proxy(environment, f"{scheme}_proxy")
        if address:
            proxies[scheme] = address
    return proxies


def is_loopback(host: str) -> bool:
    """Say whether a host's name, without port, means this machine and nothing else."""
    name = host.lower().strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _read_proxy(environment: Mapping[str, str], name: str) -> str | None:
    """A name in small letters counts more, even where its value is empty."""
    return environment.get(name, environment.get(name.upper()))


def _is_exempt(url: str, exempt: str) -> bool:
    """Tell whether one of the names and ranges in ``exempt`` is, or ends, the host of ``url``."""
    if exempt.strip() == "*":
        return True
    address = urlsplit(url)
    host = address.hostname or ""
    with_port = f"{host}:{address.port}"
    for entry in exempt.lower().replace(" ", "").split(","):
        name = entry.lstrip(".")
        if name and (_ends_with(host, name) or _ends_with(with_port, name)):
            return True
        if _is_within(host, entry):
            return True
    return False


def _ends_with(host: str, name: str) -> bool:
    return host == name or host.endswith(f".{name}")


def _is_within(host: str, entry: str) -> bool:
    """Tell whether an address lies in a range such as ``10.0.0.0/8``; a name lies in none."""
    if "/" not in entry:
        return False
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        return False

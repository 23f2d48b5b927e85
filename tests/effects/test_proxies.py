"""Which proxy an address is asked through."""

from __future__ import annotations

import pytest

from shipway.effects.proxies import find_proxies, is_loopback

HOST = "registry.example"
PROXY = "http://proxy.example:3128"


class TestProxies:
    """By the rules of Docker's own programs."""

    @pytest.mark.parametrize(
        ("environment", "proxies"),
        [
            ({}, {}),
            ({"HTTPS_PROXY": PROXY}, {"https": PROXY}),
            ({"https_proxy": PROXY, "HTTPS_PROXY": "x"}, {"https": PROXY}),
            ({"https_proxy": "", "HTTPS_PROXY": "x"}, {}),
            ({"HTTP_PROXY": PROXY, "ALL_PROXY": "all"}, {"http": PROXY, "all": "all"}),
        ],
    )
    def test_variables(self, environment: dict[str, str], proxies: dict[str, str]) -> None:
        assert find_proxies(f"https://{HOST}/v2/", environment) == proxies

    @pytest.mark.parametrize(
        ("url", "exempt", "direct"),
        [
            (f"https://{HOST}/v2/", "*", True),
            (f"https://{HOST}/v2/", "Registry.Example", True),
            (f"https://{HOST}/v2/", ".example, other", True),
            (f"https://{HOST}/v2/", "example", True),
            (f"https://{HOST}/v2/", "try.example", False),
            (f"https://{HOST}/v2/", f"{HOST}:5000", False),
            (f"https://{HOST}:5000/v2/", f"{HOST}:5000", True),
            (f"https://{HOST}:5000/v2/", HOST, True),
            (f"https://{HOST}/v2/", "10.0.0.0/8,,", False),
            ("http://10.1.2.3:5000/v2/", "10.0.0.0/8", True),
            ("http://11.1.2.3/v2/", "10.0.0.0/8", False),
            ("http://10.1.2.3/v2/", "10.1.2.3", True),
            ("http://10.1.2.3/v2/", "10.0.0.0/no", False),
        ],
    )
    @pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
    def test_exempt_hosts(self, url: str, exempt: str, direct: bool, name: str) -> None:
        environment = {"ALL_PROXY": PROXY, name: exempt}
        assert bool(find_proxies(url, environment)) is not direct

    @pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1:5000", "[::1]", "x.localhost"])
    def test_this_machine_is_asked_directly(self, host: str) -> None:
        assert not find_proxies(f"https://{host}/v2/", {"HTTPS_PROXY": PROXY, "HTTP_PROXY": PROXY})


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("registry.localhost", True),
        ("127.0.0.1", True),
        ("127.9.8.7", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost.corp.example", False),
        ("127.corp.example", False),
        ("127.0.0.1.example", False),
        ("mylocalhost", False),
        ("10.0.0.1", False),
        ("192.168.0.1", False),
        ("0.0.0.0", False),
        ("registry.local", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected

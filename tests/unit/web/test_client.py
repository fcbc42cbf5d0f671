"""The address an attempt is counted under: nobody may choose his own."""

from __future__ import annotations

import pytest

from lk_portal.web.client import client_address, header

PEER = "10.0.0.1"


def scope(*forwarded: bytes, peer: str | None = PEER) -> dict[str, object]:
    lines = [(b"host", b"lk.example"), *((b"x-forwarded-for", line) for line in forwarded)]
    return {"type": "http", "client": (peer, 5) if peer else None, "headers": lines}


@pytest.mark.parametrize("hops", [0, 1, 2])
@pytest.mark.parametrize("spoofed", [(), (b"6.6.6.6",), (b"6.6.6.6, 7.7.7.7", b"8.8.8.8")])
def test_what_the_browser_says_of_itself_changes_nothing(hops: int, spoofed: tuple[bytes, ...]) -> None:
    """Each trusted proxy adds the address it sees - to the line it got, or as a line of its own."""
    chain = [b"1.2.3.4", PEER.encode()][:hops]
    expected = "1.2.3.4" if hops else PEER

    assert client_address(scope(*spoofed, *chain), hops) == expected
    assert client_address(scope(b", ".join([*spoofed, *chain])), hops) == expected


@pytest.mark.parametrize("forwarded", [(), (b"",), (b" , ,",), (b"1.1.1.1",)])
def test_a_chain_shorter_than_it_should_be_is_not_believed(forwarded: tuple[bytes, ...]) -> None:
    assert client_address(scope(*forwarded), 2) == PEER


def test_a_connection_without_a_peer_has_no_address() -> None:
    assert client_address(scope(peer=None), 0) == ""


def test_a_header_is_read_by_its_name() -> None:
    assert header(scope(), b"host") == "lk.example"
    assert header(scope(), b"origin") == ""

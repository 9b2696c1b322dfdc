"""F87: TLS errors, names that do not resolve, refused connections: orders are unknown, reads may be repeated."""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
from pathlib import Path

import aiohttp
import ccxt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.scripted_exchange import KEY, SECRET, ScriptedExchange, connected, limit_order
from workbench.errors import ExchangeUnavailableError
from workbench.exchange import CcxtClient, ClientSettings, Credentials, Unknown
from workbench.exchange.ccxt_client.call_record import CallRecord
from workbench.exchange.ccxt_client.taxonomy import order_refusal, read_problem, unknown_cause

WRAPPED = [
    (ccxt.ExchangeError, requests.exceptions.SSLError("certificate verify failed")),
    (ccxt.ExchangeError, requests.exceptions.ChunkedEncodingError("ended early")),
    (ccxt.ExchangeError, aiohttp.ClientPayloadError("ended early")),
    (ccxt.ExchangeNotAvailable, socket.gaierror(-2, "Name or service not known")),
    (ccxt.ExchangeNotAvailable, aiohttp.ServerDisconnectedError()),
    (ccxt.NetworkError, OSError("no route to host")),
]


def caused(kind: type[Exception], cause: Exception) -> Exception:
    error = kind("binance POST https://api.binance.com")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(("kind", "cause"), WRAPPED)
def test_broken_line_is_unknown_for_an_order_and_repeatable_for_a_read(kind: type[Exception], cause: Exception) -> None:
    error = caused(kind, cause)
    sent = CallRecord(sent_ns=1)
    assert order_refusal(error, sent) is None
    assert unknown_cause(error, sent) in {"connection", "bad_answer"}
    problem = read_problem("binance", "balances", error, CallRecord())
    assert type(problem) is ExchangeUnavailableError
    assert problem.retryable


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return a server's context with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36_500))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    async def test() -> None:
        async with connected(ssl_context=self_signed(tmp_path)) as (exchange, client):
            with pytest.raises(ExchangeUnavailableError) as caught:
                await client.market_rules("BTC/USDT")
            assert caught.value.retryable
            assert exchange.requests == []

    asyncio.run(asyncio.wait_for(test(), 20))


def test_order_to_an_exchange_that_has_gone_is_unknown() -> None:
    async def test() -> None:
        exchange = ScriptedExchange()
        async with exchange.running():
            settings = ClientSettings(
                exchange="practice", base_url=exchange.base_url, credentials=Credentials(KEY, SECRET)
            )
            client = CcxtClient(settings)
            await client.measure_clock()
            await client.market_rules("BTC/USDT")
        try:
            outcome = await client.place_order(limit_order())
            assert isinstance(outcome, Unknown)
            assert outcome.cause == "connection"
            with pytest.raises(ExchangeUnavailableError):
                await client.balances()
        finally:
            await client.close()

    asyncio.run(asyncio.wait_for(test(), 20))

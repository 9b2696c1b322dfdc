from pathlib import Path

import pytest

from tests.real_money import Vault
from workbench.errors import RealTradingDisabledError
from workbench.exchange.real_money import load_key, read_arming, told_arming


def test_an_arming_is_told_without_the_key(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    assert told_arming(vault.folder, "main") is None
    arming = vault.arm()
    (vault.folder / "keys" / "main.json").unlink()
    assert told_arming(vault.folder, "main") == arming


def test_what_is_told_is_believed_by_nobody(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    arming = vault.arm()
    vault.tamper(expires_ns=arming.expires_ns + 1)
    told = told_arming(vault.folder, "main")
    assert told is not None
    assert told.expires_ns == arming.expires_ns + 1
    with pytest.raises(RealTradingDisabledError, match="is not believed"):
        read_arming(vault.folder, "main", load_key(vault.folder, "main").credentials)


def test_a_file_that_others_can_write_or_that_says_nonsense_is_not_told(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.arm()
    vault.tamper(account="other")
    with pytest.raises(RealTradingDisabledError, match="is about account 'other'"):
        told_arming(vault.folder, "main")
    vault.armed_file.chmod(0o666)
    with pytest.raises(RealTradingDisabledError, match="its mode must be 0600"):
        told_arming(vault.folder, "main")

from __future__ import annotations

from workbench.live.mailbox import Mailbox


def test_requests_come_out_in_the_order_in_which_they_came() -> None:
    mailbox = Mailbox()
    for name in ("pause", "resume", "pause"):
        mailbox.ask(name)
    assert [ask.name for ask in mailbox.take()] == ["pause", "resume", "pause"]
    assert mailbox.take() == ()


def test_the_same_request_twice_in_a_row_is_one() -> None:
    mailbox = Mailbox()
    assert mailbox.ask("flatten") is mailbox.ask("flatten")
    assert len(mailbox.take()) == 1


def test_a_request_wakes_the_listener() -> None:
    mailbox = Mailbox()
    mailbox.ask("stop")
    assert mailbox.wake.is_set()


def test_a_closed_mailbox_answers_what_waits_and_what_comes() -> None:
    mailbox = Mailbox()
    waiting = mailbox.ask("pause")
    mailbox.close()
    assert waiting.is_done.is_set()
    assert mailbox.ask("resume").is_done.is_set()
    assert mailbox.take() == ()


def test_a_look_at_what_waits_takes_nothing() -> None:
    mailbox = Mailbox()
    mailbox.ask("pause")
    assert mailbox.has_any("stop", "pause")
    assert not mailbox.has_any("stop")
    assert len(mailbox.take()) == 1

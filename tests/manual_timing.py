"""A client's clock that stands still until a test moves it."""

import asyncio

NS_PER_S = 1_000_000_000


class ManualTiming:
    """Time passes by `advance`, or, when `is_eager`, at once for whoever waits for it."""

    def __init__(self, now_ns: int = 1_800_000_000 * NS_PER_S, *, is_eager: bool = False, speed: float = 1.0) -> None:
        self.speed = speed
        self.slept_s: list[float] = []
        self._start_ns = now_ns
        self._elapsed_ns = 0
        self._is_eager = is_eager
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def now_ns(self) -> int:
        return self._start_ns + self._elapsed_ns

    def monotonic_ns(self) -> int:
        return self._elapsed_ns

    async def sleep(self, duration_s: float) -> None:
        self.slept_s.append(duration_s)
        until_ns = self._elapsed_ns + max(0, round(duration_s * NS_PER_S))
        if self._is_eager:
            self._elapsed_ns = until_ns
            return
        if until_ns <= self._elapsed_ns:
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((until_ns, turn))
        await turn

    def advance(self, duration_s: float) -> None:
        self._elapsed_ns += round(duration_s * NS_PER_S)
        due = [turn for until_ns, turn in self._waiting if until_ns <= self._elapsed_ns]
        self._waiting = [one for one in self._waiting if one[0] > self._elapsed_ns]
        for turn in due:
            if not turn.done():
                turn.set_result(None)

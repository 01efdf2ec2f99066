"""The seats of a schedule: who sits down when and where, what happens to the computers, who is let in instead."""

import functools
import random

from exam_engine.delivery.model import device_of
from loadtests.candidate_bot.vault import Claim, Vault
from tests.simulation.clockwork import Clockwork
from tests.simulation.messages import Answer
from tests.simulation.oracle import Oracle
from tests.simulation.people import Browser, Invigilator, Network, begins_at
from tests.simulation.plan import LONGEST_MS, START_MS, Plan, Seating
from tests.simulation.rules import Rules
from tests.simulation.valkey import Valkey

LOOKS = 20


class Seats:
    """All browsers that ever were, and the one at each seat."""

    def __init__(
        self, clock: Clockwork, chance: random.Random, plan: Plan, rules: Rules, network: Network, oracle: Oracle,
        invigilator: Invigilator, valkey: Valkey,
    ) -> None:  # fmt: skip
        self.browsers: list[Browser] = []
        self._seats: dict[int, Browser] = {}
        self._clock, self._chance, self._plan, self._rules, self._network = clock, chance, plan, rules, network
        self._oracle, self._invigilator, self._valkey = oracle, invigilator, valkey

    def set_the_stage(self) -> None:
        """Plan everything that happens at the seats."""
        at = self._clock.at
        for attempt, seating in enumerate(self._plan.seatings):
            at(begins_at(seating), self._begin, attempt, seating)
            for number, at_ms in enumerate(seating.reloads, 1):
                at(START_MS + at_ms, self._reload, attempt, seating, number)
            if seating.moved_ms:
                at(START_MS + seating.moved_ms, self._move, attempt, seating)
            if seating.rival_ms:
                at(START_MS + seating.rival_ms, self._rival, attempt, seating)
            if seating.stick_ms:
                at(START_MS + seating.stick_ms, self._stay_off_line, attempt)
            if seating.leaves_ms:
                at(START_MS + seating.leaves_ms, self._leave, attempt)

    def _begin(self, attempt: int, seating: Seating) -> None:
        client, vault = f"d{attempt}.t0", Vault()
        if seating.alone_ms:
            self._network.cut_off(client, START_MS + (LONGEST_MS if seating.stick_ms else seating.alone_ms))
            vault.claim = Claim(self._clock.now + seating.guess_off_ms)
            self._clock.note(client, f"begins alone: {vault.claim}")
            if self._chance.random() < 0.5:  # should another computer have got the paper meanwhile
                self._clock.at(START_MS + seating.alone_ms, self._admit_until, attempt, client, 0)
        self._sit_down(attempt, seating, client, vault, None)

    def _sit_down(self, attempt: int, seating: Seating, client: str, vault: Vault | None, answers: int | None) -> None:
        self._seats[attempt] = self._browser(attempt, seating, client, vault, answers)

    def _browser(
        self, attempt: int, seating: Seating, client: str, vault: Vault | None, answers: int | None
    ) -> Browser:
        seed = self._chance.randrange(2**40)
        browser = Browser(
            attempt, client, self._clock, seed, self._plan, self._rules, seating, self._network, self._oracle, vault,
            answers,
        )  # fmt: skip
        self.browsers.append(browser)
        return browser

    def _reload(self, attempt: int, seating: Seating, number: int) -> None:
        before = self._seats.get(attempt)
        if before is None or not before.is_alive:
            return
        self._clock.note(before.client, "crashes and comes back")
        vault = before.crash()
        # Two in three keep the tab's memory (F5), the others come back as another tab of the same computer.
        client = before.client if number % 3 else f"{device_of(before.client)}.t{number}"
        pause = 1_000 + self._chance.randrange(4_000)
        self._clock.after(pause, self._sit_down, attempt, seating, client, vault, before.left)

    def _move(self, attempt: int, seating: Seating) -> None:
        before = self._seats.get(attempt)
        if before is None:
            return
        self._clock.note(before.client, "dies for good")
        before.crash()
        pause = 3_000 + self._chance.randrange(15_000)
        self._clock.after(pause, self._sit_down, attempt, seating, f"e{attempt}.t0", None, before.left)
        self._admit_until(attempt, f"e{attempt}.t0", 0)

    def _rival(self, attempt: int, seating: Seating) -> None:
        """Another computer asks for the same paper while the first one works; one time in two it is let in."""
        rival = self._browser(attempt, seating, f"r{attempt}.t0", None, 3)
        fate = self._chance.random()
        if fate < 0.8:
            self._admit_until(attempt, rival.client, 0, is_refused=fate > 0.5)

    def _stay_off_line(self, attempt: int) -> None:
        """The network of a seat never comes back; soon somebody brings its answers on a stick."""
        browser = self._seats.get(attempt)
        if browser is None or not browser.is_alive:
            return
        self._network.cut_off(browser.client, START_MS + LONGEST_MS)
        self._clock.after(5_000 + self._chance.randrange(25_000), self._bring_stick, attempt, browser)

    def _bring_stick(self, attempt: int, browser: Browser) -> None:
        vault = browser.crash()
        answers = {
            slot: Answer(r.sequence, r.client_time_ms, r.value)  # type: ignore[arg-type]
            for slot, r in vault.responses.items()
        }
        self._invigilator.restore_file(attempt, browser.client, vault.claim, answers)

    def _leave(self, attempt: int) -> None:
        for browser in self.browsers:
            if browser.attempt == attempt:
                browser.crash()

    def _admit_until(self, attempt: int, client: str, tries: int, *, is_refused: bool = False) -> None:
        """The invigilator looks at the console every few seconds and admits who waits, or sends it away."""
        if tries > LOOKS:
            return
        facts = self._valkey.facts.get(attempt)
        if facts is not None and facts.claimant == client and is_refused:
            self._invigilator.refuse(attempt)
            return
        if facts is not None and facts.claimant == client:
            self._invigilator.admit(attempt, f"admit-{client}-{tries}", is_credited=self._chance.random() < 0.7)
            return
        look_again = functools.partial(self._admit_until, attempt, client, tries + 1, is_refused=is_refused)
        self._clock.after(4_000, look_again)

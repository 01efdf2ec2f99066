"""Messages as data: an English id with `{name}` fields and the facts that fill them; the edge translates."""

from collections.abc import Callable, Mapping

import msgspec

Fact = str | int
Translate = Callable[..., str]


class Message(msgspec.Struct, frozen=True):
    """One sentence for a person: `id` is the catalogue's message id."""

    id: str
    facts: Mapping[str, Fact] = msgspec.field(default_factory=dict)

    def __str__(self) -> str:
        return self.id.format(**self.facts) if self.facts else self.id

    def translated(self, translate: Translate) -> str:
        """Say it in the language of a catalogue's translator."""
        return translate(self.id, **self.facts)


def message(message_id: str, /, **facts: Fact) -> Message:
    """Build a message; the id stands as a literal at the place that says it."""
    return Message(message_id, facts)

"""The kind of provider ``fake``: configured with replies, it answers without any model."""

from __future__ import annotations

from typing import Any

from llmspell.testing.fake_model import FakeModel
from llmspell_llm.providers import Endpoint, Provider, ProviderConfig, ProviderKind, RemoteProvider


def _make(config: ProviderConfig) -> Provider:
    options = dict(config.options)
    given = options.pop("model", None)
    fake = given if isinstance(given, FakeModel) else FakeModel.from_config(options)
    return FakeProvider(config.name, fake)


class FakeProvider(RemoteProvider):
    """Serves a :class:`~llmspell.testing.FakeModel` under any model name."""

    def __init__(self, name: str, fake: FakeModel) -> None:
        self.fake = fake

        def make(model: str) -> Any:
            from llmspell_llm.adapter.fake import FakeAdapter

            return FakeAdapter(fake, model)

        super().__init__(name, "fake", Endpoint("made", make=make), fake.name)
        self.free = True

    async def models(self) -> list[str]:
        return [self.fake.name]


FAKE = ProviderKind(
    name="fake",
    title="Scripted replies, for tests",
    dialect="made",
    capabilities=frozenset({"streaming", "structured_output", "tools"}),
    aliases=("mock",),
    make=_make,
)

"""BentoML's batchable API with what its documentation offers to make it faster."""

import bentoml
from pydantic import BaseModel

from loadtests.peers.tagger import PeerSettings, Tagger

SETTINGS = PeerSettings.from_environment()


class Entity(BaseModel):
    """An output type of its own: BentoML builds the schema of a bare dict at every call."""

    entity_group: str
    score: float
    word: str
    start: int
    end: int


class Entities(BaseModel):
    entities: list[Entity]


@bentoml.service(
    workers=SETTINGS.workers,
    tracing={"excluded_urls": ".*"},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    traffic={"timeout": 120},
)
class Ner:
    def __init__(self) -> None:
        self._tag = Tagger(SETTINGS)

    @bentoml.api(  # type: ignore[untyped-decorator]
        batchable=True, max_batch_size=SETTINGS.batch, max_latency_ms=60_000
    )
    def ner(self, inputs: list[str]) -> list[Entities]:
        return [Entities(entities=[Entity(**e) for e in found]) for found in self._tag(inputs)]

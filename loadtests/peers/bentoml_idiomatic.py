"""BentoML as its documentation begins: a batchable API, everything else by default."""

from typing import Any

import bentoml

from loadtests.peers.tagger import PeerSettings, Tagger


@bentoml.service
class Ner:
    def __init__(self) -> None:
        self._tag = Tagger(PeerSettings.from_environment())

    @bentoml.api(batchable=True)  # type: ignore[untyped-decorator]
    def ner(self, inputs: list[str]) -> list[list[dict[str, Any]]]:
        return self._tag(inputs)

"""What predictors with an encoder and a decoder have in common, whatever they write."""

from collections.abc import Sequence
from typing import Self

from service.bundle import MANIFEST, Bundle, BundleError, Precision
from service.engine.decoder_lane import DecoderLane
from service.engine.decoding import DecoderBatch, decode_all
from service.engine.metrics import DecoderMetrics
from service.engine.rows import DecodeRow, Hypothesis, Row
from service.engine.session import Device, Session
from service.tasks.base import AnyParameters, LaneLimits, Predictor, choose_precision

_OFFLINE_ROWS = 64


class DecodedPredictor(Predictor[AnyParameters]):
    """A predictor whose bundle has two graphs, `encoder` and `decoder`, and says how to decode."""

    def __init__(
        self, bundle: Bundle, encoder: Session, decoder: Session, precision: Precision
    ) -> None:
        if bundle.manifest.decoding is None:
            task = bundle.manifest.task
            raise BundleError(bundle.path, MANIFEST, f"a {task} bundle needs `decoding`")
        self.bundle, self.device, self.precision = bundle, decoder.device, precision
        self.decoding = bundle.manifest.decoding
        self._encoder, self._decoder = encoder, decoder

    @classmethod
    def open(
        cls, bundle: Bundle, device: Device, precision: Precision | None, *, shared_pool: bool
    ) -> Self:
        chosen = choose_precision(bundle, device, precision)
        encoder, decoder = (
            Session.open(bundle.graph(role, chosen), device, shared_pool=shared_pool)
            for role in ("encoder", "decoder")
        )
        return cls(bundle, encoder, decoder, chosen)

    def run(self, rows: Sequence[Row]) -> list[list[Hypothesis]]:
        """Hypotheses of rows; long ones first, so that the batch stays full to the end."""
        sources = [row for row in rows if isinstance(row, DecodeRow)]
        ordered = sorted(sources, key=lambda row: row.length, reverse=True)
        found = decode_all(self.batch(), ordered, at_once=_OFFLINE_ROWS)
        by_row = dict(zip(ordered, found, strict=True))
        return [by_row[row] for row in sources]

    def lane(self, limits: LaneLimits) -> DecoderLane:
        manifest = self.bundle.manifest
        return DecoderLane(
            self.batch(),
            limits.queue(),
            DecoderMetrics(manifest.task, manifest.version),
            rows=limits.batch_rows,
            admissions=limits.admissions,
        )

    def batch(self, kind: type[DecoderBatch] = DecoderBatch) -> DecoderBatch:
        """An empty batch of this bundle's graphs."""
        return kind(self._encoder, self._decoder, self.decoding)

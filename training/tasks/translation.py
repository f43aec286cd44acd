"""Training of the multilingual translation model (Johnson et al., TACL 2017)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sacrebleu
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from service.bundle import DecodingSpec, Limits, Parity
from service.engine.rows import DecodeRow
from service.tasks.base import Predictor
from service.tasks.translation import VOCABULARY, TranslationParameters, TranslationPredictor
from service.text.languages import LANGUAGE_TOKENS
from service.text.lexicon import LEXICON, Lexicon
from service.text.standins import MARKS, mask, unmask
from service.text.subwords import BOS_ID, EOS_ID, PAD_ID, Subwords
from service.text.translation import longest_output, source_ids
from training.config import TranslationExperiment
from training.data.batches import TokenBatchSampler, pad, token_batches
from training.data.encoded import EncodedPairs, ParallelBatch, Ragged
from training.data.mixture import DirectedPairs, directed_pairs, draw, shares, training_pairs, ways
from training.data.names import NameMasker
from training.data.noise import with_noise
from training.data.parallel import References, SentencePair, group_references, read_pairs
from training.graphs.graph import Graph
from training.graphs.seq2seq import decoder_graph, encoder_graph
from training.models.seq2seq import Seq2Seq
from training.reports.parts import Part
from training.tasks.base import Description, Measured, TrainingTask

_DEV_BATCH_TOKENS = 4000
_VOCABULARY_SENTENCES = 150_000
_LONGEST_SENTENCE = 80
_PARITY_ROWS = 64
_CHUNK_PAIRS = 10_000

Ids = NDArray[np.int64]


class DevRow(NamedTuple):
    """One development source in ids, with its direction and its references."""

    ids: Ids
    direction: str
    references: tuple[str, ...]
    values: list[str]
    """What the source's marks stand for."""


class DevBatch(NamedTuple):
    source: Tensor
    lengths: Tensor
    rows: list[DevRow]


class TranslationTask(TrainingTask[TranslationExperiment, Seq2Seq]):
    quantization = "rows"

    def __init__(self, experiment: TranslationExperiment, run: Path) -> None:
        super().__init__(experiment, run)
        self._begun: tuple[int, Iterator[EncodedPairs] | None] = (-1, None)

    def learn_vocabularies(self) -> None:
        """Sub-words of an equal number of sentences for each language, so that none is starved."""
        texts: defaultdict[str, list[str]] = defaultdict(list)
        for pair in self.experiment.pairs:
            for row in training_pairs(pair, pair.languages):
                texts[pair.languages[0]].append(row.source)
                texts[pair.languages[1]].append(row.target)
        Lexicon.learn(texts, self.experiment.known_word_count).save(self.run / LEXICON)
        rng = np.random.default_rng(self.experiment.seed)
        chosen = chain.from_iterable(_sample(found, rng) for found in texts.values())
        Subwords.train(
            chosen,
            self.experiment.model.vocabulary,
            symbols=LANGUAGE_TOKENS,
            whole=MARKS,
            lowercase=False,
        ).save(self.run / VOCABULARY)

    @cached_property
    def subwords(self) -> Subwords:
        return Subwords.load(self.run / VOCABULARY)

    @cached_property
    def lexicon(self) -> Lexicon:
        return Lexicon.load(self.run / LEXICON)

    def build_model(self) -> Seq2Seq:
        return Seq2Seq(self.experiment.model, self.subwords.size)

    def train_loader(self, epoch: int) -> DataLoader[Any]:
        pairs = EncodedPairs.joined(list(self._chunks(epoch)))
        sampler = TokenBatchSampler(
            pairs.lengths,
            self.experiment.trainer.batch_tokens,
            seed=self.experiment.seed,
            epoch=epoch,
        )
        return DataLoader(pairs, batch_sampler=sampler, collate_fn=_as_read)

    def dev_loader(self) -> DataLoader[Any]:
        rows = list(chain.from_iterable(map(self._dev_rows, directions(self.experiment))))
        batches = token_batches([len(row.ids) for row in rows], _DEV_BATCH_TOKENS)
        return DataLoader(rows, batch_sampler=batches, collate_fn=_collate_dev)  # type: ignore[arg-type]

    def loss(self, model: Seq2Seq, batch: ParallelBatch) -> Tensor:
        return model.loss(batch.source, batch.lengths, batch.target, batch.real)

    def observe(self, model: Seq2Seq, batch: DevBatch) -> Sequence[Any]:
        steps = longest_output(int(batch.lengths.max()))
        outputs = model.greedy(batch.source, batch.lengths, steps)
        return [
            (row.direction, unmask(self.subwords.decode(ids), row.values), row.references)
            for ids, row in zip(outputs, batch.rows, strict=True)
        ]

    def dev_scores(self, observations: Sequence[Any]) -> dict[str, float]:
        """BLEU of each direction (sacrebleu, all references), and their mean as the score."""
        found: defaultdict[str, tuple[list[str], list[Sequence[str]]]]
        found = defaultdict(lambda: ([], []))
        for direction, hypothesis, references in observations:
            found[direction][0].append(hypothesis)
            found[direction][1].append(references)
        scores = {f"bleu_{name}": bleu(*texts) for name, texts in found.items()}
        return {"score": sum(scores.values()) / len(scores), **scores}

    def graphs(self, model: Seq2Seq) -> dict[str, Graph]:
        return {"encoder": encoder_graph(model), "decoder": decoder_graph(model)}

    def describe(self, model: Seq2Seq) -> Description:
        corpora = [corpus.name for pair in self.experiment.pairs for corpus in pair.corpora]
        return Description(
            use="Translates short, everyday sentences.",
            failures="Long, technical and rare text is weak, and names and numbers may be changed "
            "or repeated. Sentences are translated one by one, without context.",
            labels=(),
            limits=Limits(longest_input=_LONGEST_SENTENCE),
            text={"lowercase": False, "byte_fallback": True},
            vocabulary=VOCABULARY,
            files=(LEXICON,),
            data=tuple(dict.fromkeys([*corpora, *self.experiment.earlier_data])),
            languages=tuple((d.source, d.target) for d in directions(self.experiment)),
            decoding=DecodingSpec(
                bos_id=BOS_ID,
                eos_id=EOS_ID,
                state_size=model.bridge.out_features,
                memory_size=model.encoder.cell.width,
                beams=self.experiment.beams,
                length_penalty=self.experiment.length_penalty,
            ),
        )

    def parameters(self) -> TranslationParameters:
        return TranslationParameters(tgt_lang=directions(self.experiment)[0].target)

    def dev_texts(self, count: int) -> list[str]:
        texts = [row.source for row in directions(self.experiment)[0].references("dev")]
        return texts[:: max(1, len(texts) // count)][:count]

    def parity(self, model: Seq2Seq, predictor: Predictor[Any]) -> Parity:
        """Greedy translations must be equal; the error is that of the likeliest token's score."""
        greedy = TranslationParameters(tgt_lang=self.parameters().tgt_lang, num_beams=1)
        texts = self.dev_texts(_PARITY_ROWS)
        prepared = [predictor.prepare(text, greedy) for text in texts]
        rows = [row for part in prepared for row in part.rows if isinstance(row, DecodeRow)]
        served = [found[0] for found in predictor.run(rows)]
        source = pad([row.inputs["ids"] for row in rows])
        lengths = torch.tensor([row.length for row in rows])
        greedy_ids = model.greedy(source, lengths, max(row.max_steps for row in rows))
        expected = [ids[: row.max_steps] for ids, row in zip(greedy_ids, rows, strict=True)]
        same = expected == [found.ids for found in served]
        ended = [_with_end(found.ids, row) for found, row in zip(served, rows, strict=True)]
        scores = model.sequence_scores(source, lengths, ended)
        error = max(abs(float(a) - b.score) for a, b in zip(scores, served, strict=True))
        return Parity(max_abs_error=error, rows=len(rows), same_answers=same)

    def report_parts(self, predictor: Predictor[Any]) -> list[Part]:
        from training.reports.translation import translation_parts

        assert isinstance(predictor, TranslationPredictor)
        found = translation_parts(predictor, directions(self.experiment), self.experiment.dev_rows)
        return list(found)

    def evaluate(self, predictor: Predictor[Any], split: str) -> list[Measured]:
        scored = [
            Scored(d.corpus, (d.source, d.target), split) for d in directions(self.experiment)
        ]
        if split == "test":
            further = self.experiment.test_sets
            scored += [Scored(found.corpus, found.languages, found.split) for found in further]
        return [measured for one in scored for measured in self._evaluate(predictor, one)]

    def _evaluate(self, predictor: Predictor[Any], scored: "Scored") -> list[Measured]:
        source, target = scored.languages
        rows = group_references(read_pairs(scored.corpus, scored.split, scored.languages))
        if scored.split == "dev":
            rows = rows[: self.experiment.dev_rows]
        parameters = TranslationParameters(tgt_lang=target, src_lang=source)
        answers = predictor.predict([row.source for row in rows], parameters)
        texts = [answer[0].translation_text for answer in answers]
        references = [row.targets for row in rows]
        return [
            Measured(scored.name, "bleu", bleu(texts, references), len(rows)),
            Measured(scored.name, "chrf", chrf(texts, references), len(rows)),
        ]

    @cached_property
    def train_pairs(self) -> list[DirectedPairs]:
        return directed_pairs(self.experiment)

    def _chunks(self, epoch: int) -> Iterator[EncodedPairs]:
        """The parts of an epoch; with workers, those of the next one are begun at once."""
        begun, chunks = self._begun
        if begun != epoch or chunks is None:
            chunks = self._begin(epoch)
        following = self._begin(epoch + 1) if self.experiment.trainer.workers else None
        self._begun = (epoch + 1, following)
        return chunks

    def _begin(self, epoch: int) -> Iterator[EncodedPairs]:
        chunks = EpochChunks(self, epoch)
        workers = self.experiment.trainer.workers
        if not workers:
            return (chunks[i] for i in range(len(chunks)))
        ahead = -(-len(chunks) // workers)
        loader: DataLoader[EncodedPairs] = DataLoader(
            chunks, None, num_workers=workers, prefetch_factor=ahead, collate_fn=_as_read
        )
        return iter(loader)

    def encode(
        self, languages: tuple[str, str], rows: list[SentencePair], rng: np.random.Generator
    ) -> EncodedPairs:
        """Rows in ids, as an epoch sees them: names masked, sources with noise."""
        masker = NameMasker(self.lexicon, languages, self.experiment.standins)
        seen = [masker.mask(row, rng) for row in rows]
        noise = self.experiment.noise
        sources = self.subwords.encode([with_noise(row.source, noise, rng) for row in seen])
        targets = self.subwords.encode([row.target for row in seen])
        longest = self.experiment.max_pieces
        fit = [
            (source_ids(self.subwords, source.ids, languages[1]), [BOS_ID, *target.ids, EOS_ID])
            for source, target in zip(sources, targets, strict=True)
            if 0 < len(source.ids) <= longest and 0 < len(target.ids) <= longest
        ]
        return EncodedPairs(
            Ragged.of([source for source, _ in fit]), Ragged.of([target for _, target in fit])
        )

    def _dev_rows(self, direction: "Direction") -> list[DevRow]:
        rows = direction.references("dev")[: self.experiment.dev_rows]
        masked = [mask(row.source, self.lexicon, direction.source) for row in rows]
        pieces = self.subwords.encode([found.text for found in masked])
        return [
            DevRow(
                np.array(source_ids(self.subwords, found.ids, direction.target)),
                direction.name,
                row.targets,
                values,
            )
            for row, found, (_, values) in zip(rows, pieces, masked, strict=True)
        ]


class EpochChunks(Dataset[EncodedPairs]):
    """The pairs of an epoch in parts, each a function of the seed, the epoch and its place."""

    def __init__(self, task: TranslationTask, epoch: int) -> None:
        self._task, self._epoch = task, epoch
        experiment = task.experiment
        rng = np.random.default_rng([experiment.seed, epoch, 1])
        sizes = [len(pairs.rows) for pairs in task.train_pairs]
        counts = shares(sizes, experiment.temperature) * experiment.epoch_pairs
        self._parts: list[tuple[DirectedPairs, NDArray[np.int64]]] = []
        for pairs, count in zip(task.train_pairs, counts, strict=True):
            drawn = draw(len(pairs.rows), round(count), rng)
            starts = range(0, len(drawn), _CHUNK_PAIRS)
            self._parts += [(pairs, drawn[start : start + _CHUNK_PAIRS]) for start in starts]

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, place: int) -> EncodedPairs:
        pairs, drawn = self._parts[place]
        rng = np.random.default_rng([self._task.experiment.seed, self._epoch, 2, place])
        return self._task.encode(pairs.languages, [pairs.rows[i] for i in drawn], rng)


class Scored(NamedTuple):
    """A set that is translated in one direction and scored."""

    corpus: str
    languages: tuple[str, str]
    split: str

    @property
    def name(self) -> str:
        part = "" if self.split in ("dev", "test") else f" {self.split}"
        return f"{self.corpus}{part} {'-'.join(self.languages)}"


class Direction(NamedTuple):
    """One direction of one language pair, scored on its first corpus."""

    corpus: str
    source: str
    target: str

    @property
    def name(self) -> str:
        return f"{self.source}_{self.target}"

    def references(self, split: str) -> list[References]:
        return group_references(read_pairs(self.corpus, split, (self.source, self.target)))


def directions(experiment: TranslationExperiment) -> list[Direction]:
    """Every direction that the experiment trains."""
    found: dict[tuple[str, str], Direction] = {}
    for pair in experiment.pairs:
        for source, target in ways(pair):
            corpus = pair.corpora[0].name
            found.setdefault((source, target), Direction(corpus, source, target))
    return list(found.values())


def bleu(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU, sacrebleu's default; rows may have different numbers of references."""
    return float(sacrebleu.corpus_bleu(hypotheses, reference_streams(references)).score)


def chrf(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus chrF2, sacrebleu's default."""
    return float(sacrebleu.corpus_chrf(hypotheses, reference_streams(references)).score)


def reference_streams(references: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """References by number, None where a row has fewer: sacrebleu's layout."""
    most = max(len(row) for row in references)
    return [[row[i] if i < len(row) else None for row in references] for i in range(most)]


def _with_end(ids: list[int], row: DecodeRow) -> list[int]:
    """`ids` and the end token, unless the row was cut at its last step."""
    return ids if len(ids) == row.max_steps else [*ids, EOS_ID]


def _sample(texts: list[str], rng: np.random.Generator) -> list[str]:
    """At most `_VOCABULARY_SENTENCES` texts; few texts are repeated up to a quarter of that."""
    count = min(max(len(texts), _VOCABULARY_SENTENCES // 4), _VOCABULARY_SENTENCES)
    return [texts[i] for i in draw(len(texts), count, rng)]


def _as_read(batch: Any) -> Any:
    return batch


def _collate_dev(rows: list[DevRow]) -> DevBatch:
    source = pad([row.ids for row in rows])
    return DevBatch(source, source.ne(PAD_ID).sum(1), rows)

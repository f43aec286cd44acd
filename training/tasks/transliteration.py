"""Training of the transliterator from romanised Hindi to Devanagari."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from service.bundle import DecodingSpec, Limits, Parity
from service.engine.rows import DecodeRow
from service.tasks.base import Predictor
from service.tasks.transliteration import (
    VOCABULARY,
    TransliterationParameters,
    longest_spelling,
    word_row,
)
from service.text.alphabet import BOS_ID, EOS_ID, PAD_ID, Alphabet
from service.text.ngrams import CharacterNgrams
from service.text.romanization import romanize
from service.text.spellings import Spellings, Weights
from service.text.transliteration import LONGEST_WORD, letters
from training.config import TransliterationExperiment
from training.data.batches import TokenBatchSampler, pad, token_batches
from training.data.hindi_words import count_words
from training.data.lexicon import Spelling, read_spellings
from training.data.parallel import read_pairs
from training.data.romanised import loosely
from training.graphs.graph import Graph
from training.graphs.seq2seq import decoder_graph, encoder_graph
from training.models.seq2seq import Seq2Seq
from training.reports.parts import Part
from training.reports.words import Written, word_parts
from training.tasks.base import Description, Measured, TrainingTask

_DEV_BATCH_TOKENS = 8000
_PARITY_ROWS = 64
_SCORED = "dakshina_hi"

Ids = NDArray[np.int64]


class WordBatch(NamedTuple):
    """Padded Latin letters (batch, time), lengths (batch,), Devanagari with BOS and EOS."""

    source: Tensor
    lengths: Tensor
    target: Tensor


class DevBatch(NamedTuple):
    source: Tensor
    lengths: Tensor
    words: list[str]


class TransliterationTask(TrainingTask[TransliterationExperiment, Seq2Seq]):
    def learn_vocabularies(self) -> None:
        """The characters of both scripts, and how often Hindi words are used."""
        characters: Counter[str] = Counter()
        for found in self._train_spellings:
            characters.update(found.hindi + found.latin)
        symbols = [char for char, _ in sorted(characters.items())]
        counts = count_words(self._hindi_sentences())
        known = [*counts, *(found.hindi for found in self._train_spellings)]
        ngrams = CharacterNgrams.count(
            known, order=self.experiment.ngram_order, least=self.experiment.least_ngrams
        )
        spellings = Spellings(Alphabet(symbols), counts, ngrams, self._weights)
        spellings.save(self.run / VOCABULARY)

    @cached_property
    def spellings(self) -> Spellings:
        return Spellings.load(self.run / VOCABULARY, self._weights)

    @property
    def _weights(self) -> Weights:
        return Weights(**self.experiment.weights.model_dump())

    @property
    def alphabet(self) -> Alphabet:
        return self.spellings.alphabet

    def build_model(self) -> Seq2Seq:
        return Seq2Seq(self.experiment.model, self.alphabet.size)

    def train_loader(self, epoch: int) -> DataLoader[Any]:
        rng = np.random.default_rng([self.experiment.seed, epoch, 1])
        rows = [*self._attested_rows, *map(self._row, self._made(rng))]
        sampler = TokenBatchSampler(
            [max(len(source), len(target)) for source, target in rows],
            self.experiment.trainer.batch_tokens,
            seed=self.experiment.seed,
            epoch=epoch,
        )
        return DataLoader(rows, batch_sampler=sampler, collate_fn=_collate)  # type: ignore[arg-type]

    def dev_loader(self) -> DataLoader[Any]:
        rows = [(self.alphabet.ids(x.latin), x.hindi) for x in read_attested(_SCORED, "dev")]
        batches = token_batches([len(ids) for ids, _ in rows], _DEV_BATCH_TOKENS)
        return DataLoader(rows, batch_sampler=batches, collate_fn=_collate_dev)  # type: ignore[arg-type]

    def loss(self, model: Seq2Seq, batch: WordBatch) -> Tensor:
        return model.loss(batch.source, batch.lengths, batch.target)

    def observe(self, model: Seq2Seq, batch: DevBatch) -> Sequence[Any]:
        steps = longest_spelling(int(batch.lengths.max()))
        outputs = model.greedy(batch.source, batch.lengths, steps)
        pairs = zip(outputs, batch.words, strict=True)
        return [self.alphabet.text(ids) == word for ids, word in pairs]

    def dev_scores(self, observations: Sequence[Any]) -> dict[str, float]:
        """Word accuracy of greedy answers, without the word list."""
        return {"score": 100 * sum(observations) / len(observations)}

    def graphs(self, model: Seq2Seq) -> dict[str, Graph]:
        return {"encoder": encoder_graph(model), "decoder": decoder_graph(model)}

    def describe(self, model: Seq2Seq) -> Description:
        experiment = self.experiment
        return Description(
            use="Writes romanised Hindi, as people type it, in Devanagari, word by word.",
            failures="A spelling may stand for several words; the more frequent one is written, "
            "whatever the sentence says. Rare words and names are spelt as they sound, with wrong "
            "long vowels or nasals at times. English words are written in Devanagari too.",
            labels=(),
            limits=Limits(longest_input=LONGEST_WORD),
            text=dict(self._weights._asdict()),
            vocabulary=VOCABULARY,
            data=(*experiment.sources, "wordfreq", *(corpus.name for corpus in experiment.corpora)),
            decoding=DecodingSpec(
                bos_id=BOS_ID,
                eos_id=EOS_ID,
                state_size=model.bridge.out_features,
                memory_size=model.encoder.cell.width,
                beams=experiment.beams,
                # Sums of log-probabilities: the word list is weighed against them.
                length_penalty=0.0,
            ),
        )

    def parameters(self) -> TransliterationParameters:
        return TransliterationParameters()

    def dev_texts(self, count: int) -> list[str]:
        texts = [found.latin for found in read_attested(_SCORED, "dev")]
        return texts[:: max(1, len(texts) // count)][:count]

    def parity(self, model: Seq2Seq, predictor: Predictor[Any]) -> Parity:
        """Greedy spellings must be equal; the error is that of their log-probabilities."""
        words = self.dev_texts(_PARITY_ROWS)
        rows = [word_row(self.alphabet, word, beams=1) for word in words]
        served = [found[0] for found in predictor.run(rows)]
        source = pad([row.inputs["ids"] for row in rows])
        lengths = torch.tensor([row.length for row in rows])
        greedy = model.greedy(source, lengths, max(row.max_steps for row in rows))
        expected = [ids[: row.max_steps] for ids, row in zip(greedy, rows, strict=True)]
        ended = [_with_end(found.ids, row) for found, row in zip(served, rows, strict=True)]
        means = model.sequence_scores(source, lengths, ended).tolist()
        totals = [mean * len(ids) for mean, ids in zip(means, ended, strict=True)]
        error = max(abs(a - b.score) for a, b in zip(totals, served, strict=True))
        same = expected == [found.ids for found in served]
        return Parity(max_abs_error=error, rows=len(rows), same_answers=same)

    def evaluate(self, predictor: Predictor[Any], split: str) -> list[Measured]:
        """Of the likeliest spelling: each attested pair; any word attested for the letters;
        the pairs whose word the list of frequencies lacks; character errors."""
        attested = read_attested(_SCORED, split)
        words: defaultdict[str, set[str]] = defaultdict(set)
        for found in attested:
            words[found.latin].add(found.hindi)
        said = _said(predictor, words)
        rare = [found for found in attested if found.hindi not in self.spellings.words]
        any_word = [said[latin] in hindi for latin, hindi in words.items()]
        errors = [(_distance(said[x.latin], x.hindi), len(x.hindi)) for x in attested]
        cer = 100 * sum(e for e, _ in errors) / sum(length for _, length in errors)
        figures = [
            Measured(_SCORED, "word accuracy", _share(attested, said), len(attested)),
            Measured(_SCORED, "any attested word", 100 * float(np.mean(any_word)), len(words)),
            Measured(_SCORED, "character error rate", cer, len(attested)),
        ]
        if rare:
            share = _share(rare, said)
            figures.append(Measured(_SCORED, "words not in the list", share, len(rare)))
        return figures

    def report_parts(self, predictor: Predictor[Any]) -> Sequence[Part]:
        attested = read_attested(_SCORED, "test")
        said = _said(predictor, [found.latin for found in attested])
        return word_parts([Written(x.latin, x.hindi, said[x.latin]) for x in attested])

    @cached_property
    def _train_spellings(self) -> list[Spelling]:
        return [x for name in self.experiment.sources for x in read_attested(name, "train")]

    @cached_property
    def _attested_rows(self) -> list[tuple[Ids, Ids]]:
        """Each attested pair, twice if several people wrote it so."""
        common = [found for found in self._train_spellings if found.people > 1]
        return [self._row(found) for found in [*self._train_spellings, *common]]

    @cached_property
    def _listed(self) -> list[str]:
        """Frequent words that the alphabet can spell."""
        known = set(self.alphabet.symbols)
        return [
            word for word in sorted(self.spellings.words) if set(word) <= known and len(word) > 1
        ]

    def _made(self, rng: np.random.Generator) -> list[Spelling]:
        chosen = rng.integers(len(self._listed), size=self.experiment.made_per_epoch).tolist()
        words = [self._listed[i] for i in chosen]
        made = [Spelling(word, loosely(romanize(word, "informal"), rng), 1) for word in words]
        return [found for found in made if 0 < len(found.latin) <= LONGEST_WORD]

    def _row(self, found: Spelling) -> tuple[Ids, Ids]:
        target = [BOS_ID, *self.alphabet.ids(found.hindi).tolist(), EOS_ID]
        return self.alphabet.ids(found.latin), np.array(target)

    def _hindi_sentences(self) -> Iterable[str]:
        for corpus in self.experiment.corpora:
            for split in corpus.splits:
                yield from (pair.source for pair in read_pairs(corpus.name, split, ("hi", "en")))


def read_attested(lexicon: Any, split: str) -> list[Spelling]:
    """Spellings of a lexicon as the model reads them."""
    found = [x._replace(latin=letters(x.latin)) for x in read_spellings(lexicon, split)]
    return [x for x in found if 0 < len(x.latin) <= LONGEST_WORD]


def _said(predictor: Predictor[Any], words: Iterable[str]) -> dict[str, str]:
    """What is written for each of the distinct words."""
    distinct = list(dict.fromkeys(words))
    answers = predictor.predict(distinct, TransliterationParameters())
    pairs = zip(distinct, answers, strict=True)
    return {word: answer[0].transliteration_text for word, answer in pairs}


def _share(attested: Sequence[Spelling], said: dict[str, str]) -> float:
    """Percent of pairs that are written as attested."""
    right = sum(said[found.latin] == found.hindi for found in attested)
    return 100 * right / len(attested)


def _distance(one: str, other: str) -> int:
    """Levenshtein distance."""
    before = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
        before = row
    return before[-1]


def _with_end(ids: list[int], row: DecodeRow) -> list[int]:
    """`ids` and the end, unless the row was cut at its last step."""
    return ids if len(ids) == row.max_steps else [*ids, EOS_ID]


def _collate(rows: list[tuple[Ids, Ids]]) -> WordBatch:
    source, target = pad([row[0] for row in rows]), pad([row[1] for row in rows])
    return WordBatch(source, source.ne(PAD_ID).sum(1), target)


def _collate_dev(rows: list[tuple[Ids, str]]) -> DevBatch:
    source = pad([ids for ids, _ in rows])
    return DevBatch(source, source.ne(PAD_ID).sum(1), [word for _, word in rows])

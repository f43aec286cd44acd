"""Training of the entity tagger."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2
from torch import Tensor
from torch.utils.data import DataLoader

from service.bundle import Limits, Parity
from service.tasks.base import Predictor
from service.tasks.ner import VOCABULARY, NerParameters, ner_row
from service.text.spans import iob2_tags
from service.text.words import LONGEST_WORD, WordVocabulary, split_words, word_form
from training.config import NerExperiment
from training.data.augmentation import rename_people, start_late
from training.data.batches import TokenBatchSampler, pad, token_batches
from training.data.conll import LABELS, WordSentence, read_sentences, to_tokens, to_words
from training.data.everyday import (
    DEV_PATTERNS,
    TRAIN_PATTERNS,
    Mentions,
    collect_mentions,
    everyday_sentences,
)
from training.graphs.graph import Graph
from training.graphs.tagger import tagger_graph
from training.models.recurrent import length_mask
from training.models.tagger import Tagger
from training.tasks.base import Description, Measured, TrainingTask

TAGS = iob2_tags(LABELS)
_TAG_IDS = {tag: i for i, tag in enumerate(TAGS)}
_UNKNOWN_ID = 1
_LONGEST_INPUT = 5000
_PARITY_ROWS = 64


class TagBatch(NamedTuple):
    """words (batch, time), chars (batch, time, chars), lengths (batch,), tags (batch, time)."""

    words: Tensor
    chars: Tensor
    lengths: Tensor
    tags: Tensor


class NerTask(TrainingTask[NerExperiment, Tagger]):
    def learn_vocabularies(self) -> None:
        """Frequent word forms and characters; the rest must be read from its characters."""
        words: Counter[str] = Counter()
        chars: Counter[str] = Counter()
        for sentence in self._train_sentences:
            words.update(word_form(word) for word in sentence.words)
            chars.update(char for word in sentence.words for char in word)
        model = self.experiment.model
        WordVocabulary(
            [word for word, count in words.most_common() if count >= model.min_word_count],
            [char for char, count in chars.most_common() if count >= model.min_char_count],
        ).save(self.run / VOCABULARY)

    @cached_property
    def vocabulary(self) -> WordVocabulary:
        return WordVocabulary.load(self.run / VOCABULARY)

    def build_model(self) -> Tagger:
        vocabulary = self.vocabulary
        return Tagger(self.experiment.model, vocabulary.word_count, vocabulary.char_count, TAGS)

    def train_loader(self, epoch: int) -> DataLoader[Any]:
        rng = np.random.default_rng([self.experiment.seed, epoch, 1])
        made = everyday_sentences(TRAIN_PATTERNS, self.experiment.everyday, self._mentions, rng)
        seen = [*self._train_sentences, *made]
        sentences = [self._augmented(sentence, rng) for sentence in seen]
        sampler = TokenBatchSampler(
            [len(sentence.words) for sentence in sentences],
            self.experiment.trainer.batch_tokens,
            seed=self.experiment.seed,
            epoch=epoch,
        )
        return DataLoader(sentences, batch_sampler=sampler, collate_fn=self._collate)  # type: ignore[arg-type]

    def dev_loader(self) -> DataLoader[Any]:
        sources = [source.name for source in self.experiment.sources]
        sentences = [to_words(s) for name in sources for s in read_sentences(name, "dev")]
        rng = np.random.default_rng(self.experiment.seed)
        count = self.experiment.everyday // 10
        sentences += everyday_sentences(DEV_PATTERNS, count, collect_mentions(sentences), rng)
        batches = token_batches([len(sentence.words) for sentence in sentences], 4000)
        return DataLoader(sentences, batch_sampler=batches, collate_fn=self._collate)  # type: ignore[arg-type]

    def loss(self, model: Tagger, batch: TagBatch) -> Tensor:
        rates = self._unknown_rates.to(batch.words.device)[batch.words]
        words = batch.words.masked_fill(torch.rand_like(rates) < rates, _UNKNOWN_ID)
        emissions = model(words, batch.chars, batch.lengths)
        mask = length_mask(batch.lengths, batch.words.shape[1])
        return model.crf.loss(emissions, batch.tags, mask)

    def observe(self, model: Tagger, batch: TagBatch) -> Sequence[Any]:
        emissions = model(batch.words, batch.chars, batch.lengths)
        found = model.crf.viterbi(emissions, length_mask(batch.lengths, batch.words.shape[1]))
        gold = [row[: len(path)] for row, path in zip(batch.tags.tolist(), found, strict=True)]
        return list(zip(found, gold, strict=True))

    def dev_scores(self, observations: Sequence[Any]) -> dict[str, float]:
        found = [[TAGS[tag] for tag in path] for path, _ in observations]
        gold = [[TAGS[tag] for tag in path] for _, path in observations]
        return {"score": entity_f1(gold, found)}

    def graphs(self, model: Tagger) -> dict[str, Graph]:
        return {"model": tagger_graph(model)}

    def describe(self, model: Tagger) -> Description:
        return Description(
            use="Finds people (PER), organizations (ORG), locations (LOC) and times (TIME) in "
            "English text.",
            failures="Trained on news and encyclopaedia text; tweets, e-mail and lower case are "
            "weaker. Nationalities count as LOC. GMB's labels are partly automatic: expect noise, "
            "mainly in ORG.",
            labels=LABELS,
            limits=Limits(longest_input=_LONGEST_INPUT),
            text={"longest_word": LONGEST_WORD, "lowercase_words": True},
            vocabulary=VOCABULARY,
            data=(*(s.name for s in self.experiment.sources), *self.experiment.earlier_data),
        )

    def parameters(self) -> NerParameters:
        return NerParameters()

    def dev_texts(self, count: int) -> list[str]:
        sources = [source.name for source in self.experiment.sources]
        texts = [sentence.text for name in sources for sentence in read_sentences(name, "dev")]
        return texts[:: max(1, len(texts) // count)][:count]

    def parity(self, model: Tagger, predictor: Predictor[Any]) -> Parity:
        sentences = [split_words(text) for text in self.dev_texts(_PARITY_ROWS)]
        rows = [[word.text for word in words] for words in sentences if words]
        served = predictor.run([ner_row(self.vocabulary, words) for words in rows])
        batch = self._collate([WordSentence(tuple(words), ("O",) * len(words)) for words in rows])
        with torch.no_grad():
            emissions = model(batch.words, batch.chars, batch.lengths)
        paths = model.crf.viterbi(emissions, length_mask(batch.lengths, batch.words.shape[1]))
        pairs = list(zip(emissions.numpy(), served, strict=True))
        errors = [
            np.abs(mine[: len(its["emissions"])] - its["emissions"]).max() for mine, its in pairs
        ]
        same = all(path == its["tags"].tolist() for path, its in zip(paths, served, strict=True))
        return Parity(max_abs_error=float(max(errors)), rows=len(rows), same_answers=same)

    def evaluate(self, predictor: Predictor[Any], split: str) -> list[Measured]:
        return [self._evaluate(predictor, name, split) for name in self.experiment.test_sets]

    def _evaluate(self, predictor: Predictor[Any], name: str, split: str) -> Measured:
        sentences = read_sentences(name, split)
        answers = predictor.predict([s.text for s in sentences], NerParameters())
        found = [
            to_tokens(sentence, [(e.entity_group, e.start, e.end) for e in entities])
            for sentence, entities in zip(sentences, answers, strict=True)
        ]
        gold = [list(sentence.tags) for sentence in sentences]
        return Measured(name, "entity_f1", entity_f1(gold, found), len(sentences))

    @cached_property
    def _unknown_rates(self) -> Tensor:
        """(words,): how often each word of the vocabulary is made unknown in training."""
        ids = [self.vocabulary.word_ids(sentence.words) for sentence in self._train_sentences]
        found = np.bincount(np.concatenate(ids), minlength=self.vocabulary.word_count)
        counts = torch.from_numpy(found).float()
        alpha = self.experiment.model.word_dropout
        rates = alpha / (alpha + counts)
        rates[:2] = 0  # padding and the unknown word itself
        return rates

    @cached_property
    def _mentions(self) -> Mentions:
        return collect_mentions(self._train_sentences)

    @cached_property
    def _train_sentences(self) -> list[WordSentence]:
        sentences: list[WordSentence] = []
        for source in self.experiment.sources:
            found = [to_words(sentence) for sentence in read_sentences(source.name, "train")]
            sentences += found * source.repeat
        return [sentence for sentence in sentences if sentence.words]

    def _augmented(self, sentence: WordSentence, rng: np.random.Generator) -> WordSentence:
        """As people type: other names, short, in lower case, without the final stop."""
        model = self.experiment.model
        if model.rename_rate:
            sentence = rename_people(sentence, model.rename_rate, self._mentions.names, rng)
        if rng.random() < model.late_start_rate:
            sentence = start_late(sentence, rng)
        if rng.random() < model.lowercase_rate:
            sentence = sentence.lowered()
        if rng.random() < model.open_end_rate:
            sentence = sentence.without_stop()
        return sentence

    def _collate(self, sentences: list[WordSentence]) -> TagBatch:
        words = [self.vocabulary.word_ids(sentence.words) for sentence in sentences]
        lengths = torch.tensor([len(row) for row in words])
        chars = [
            torch.from_numpy(self.vocabulary.char_ids(sentence.words)) for sentence in sentences
        ]
        tags = [[_TAG_IDS[tag] for tag in sentence.tags] for sentence in sentences]
        padded = torch.nn.utils.rnn.pad_sequence(chars, batch_first=True)
        return TagBatch(pad(words), padded, lengths, pad(tags))


def entity_f1(gold: list[list[str]], found: list[list[str]]) -> float:
    """Entity F1 in percent, exact span and type (seqeval, strict IOB2)."""
    return 100 * float(f1_score(gold, found, mode="strict", scheme=IOB2))

"""Pretraining on unlabelled text of the words and the first layer that taggers start from."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from service.tasks.ner import VOCABULARY
from service.text.characters import without_controls
from service.text.words import WordVocabulary, split_words, word_form
from training.config import WordLanguageModelExperiment
from training.data.batches import TokenBatchSampler, token_batches
from training.data.spellings import Spellings, WordBatch
from training.data.unlabelled import read_unlabelled
from training.models.word_language_model import WordLanguageModel
from training.tasks.base import TrainableTask

_CORPUS = "corpus.npz"
_DEV_EVERY = 200
"""One sentence in so many is for development."""
_FEWEST_WORDS = 2


class WordLanguageModelTask(TrainableTask[WordLanguageModelExperiment, WordLanguageModel]):
    def learn_vocabularies(self) -> None:
        """The vocabulary, and the corpora as numbers: reading them takes a minute."""
        spellings: dict[str, int] = {}
        flat: list[int] = []
        lengths: list[int] = []
        for words in self._read_corpora():
            flat += [spellings.setdefault(word, len(spellings)) for word in words]
            lengths.append(len(words))
        counts = np.bincount(np.array(flat))
        self._vocabulary_of(list(spellings), counts).save(self.run / VOCABULARY)
        np.savez_compressed(
            self.run / _CORPUS,
            spellings=np.array("\n".join(spellings)),
            words=np.array(flat, np.int32),
            lengths=np.array(lengths, np.int32),
        )

    def build_model(self) -> WordLanguageModel:
        vocabulary = WordVocabulary.load(self.run / VOCABULARY)
        return WordLanguageModel(
            self.experiment.model, vocabulary.word_count, vocabulary.char_count
        )

    def train_loader(self, epoch: int) -> DataLoader[Any]:
        parts = self.experiment.parts
        rows = [row for i, row in enumerate(self._rows) if i % _DEV_EVERY][epoch % parts :: parts]
        rng = np.random.default_rng([self.experiment.seed, epoch, 1])
        drawn = rng.random(len(rows))
        model = self.experiment.model
        lower, upper = self._recased
        seen = [
            lower[row]
            if chance < model.lowercase_rate
            else upper[row]
            if chance < model.lowercase_rate + model.uppercase_rate
            else row
            for row, chance in zip(rows, drawn, strict=True)
        ]
        sampler = TokenBatchSampler(
            [len(row) for row in seen],
            self.experiment.trainer.batch_tokens,
            seed=self.experiment.seed,
            epoch=epoch,
        )
        return DataLoader(seen, batch_sampler=sampler, collate_fn=self._spellings.batch)  # type: ignore[arg-type]

    def dev_loader(self) -> DataLoader[Any]:
        rows = self._rows[::_DEV_EVERY]
        batches = token_batches([len(row) for row in rows], self.experiment.trainer.batch_tokens)
        return DataLoader(rows, batch_sampler=batches, collate_fn=self._spellings.batch)  # type: ignore[arg-type]

    def loss(self, model: WordLanguageModel, batch: WordBatch) -> Tensor:
        return model.loss(*batch)

    def observe(self, model: WordLanguageModel, batch: WordBatch) -> Sequence[Any]:
        return [(float(model.loss(*batch)), int(batch.lengths.sum()))]

    def dev_scores(self, observations: Sequence[Any]) -> dict[str, float]:
        """Loss in nats a word; the score is its negative."""
        losses, words = np.array(observations).T
        loss = float((losses * words).sum() / words.sum())
        return {"score": -loss, "loss": loss}

    def _read_corpora(self) -> Iterator[list[str]]:
        """Sentences in words, the long ones cut into pieces."""
        longest = self.experiment.longest_sentence
        for name in self.experiment.corpora:
            for text in read_unlabelled(name):
                words = [word.text for word in split_words(without_controls(text))]
                for start in range(0, len(words), longest):
                    if len(words) - start >= _FEWEST_WORDS:
                        yield words[start : start + longest]

    def _vocabulary_of(self, spellings: list[str], counts: NDArray[np.int64]) -> WordVocabulary:
        words: Counter[str] = Counter()
        chars: Counter[str] = Counter()
        for spelling, count in zip(spellings, counts.tolist(), strict=True):
            words[word_form(spelling)] += count
            for char in spelling:
                chars[char] += count
        model = self.experiment.model
        return WordVocabulary(
            [word for word, count in words.most_common() if count >= model.min_word_count],
            [char for char, count in chars.most_common() if count >= model.min_char_count],
        )

    @cached_property
    def _corpus(self) -> tuple[list[str], list[NDArray[np.int32]]]:
        """Every spelling, and the sentences in numbers of spellings."""
        with np.load(self.run / _CORPUS) as stored:
            spellings = str(stored["spellings"]).split("\n")
            return spellings, np.split(stored["words"], np.cumsum(stored["lengths"])[:-1])

    @cached_property
    def _rows(self) -> list[NDArray[np.int32]]:
        return self._corpus[1]

    @cached_property
    def _spellings(self) -> Spellings:
        """In the corpus's own numbers: its spellings are asked for in their order."""
        spellings = Spellings(WordVocabulary.load(self.run / VOCABULARY))
        spellings.forms(self._corpus[0])
        return spellings

    @cached_property
    def _recased(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The number of each spelling in lower case and in capitals."""
        words = self._corpus[0]
        lower, upper = ([change(word) for word in words] for change in (str.lower, str.upper))
        return (
            self._spellings.forms(lower).astype(np.int32),
            self._spellings.forms(upper).astype(np.int32),
        )

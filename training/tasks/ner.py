"""Training of the entity tagger."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from service.bundle import Limits, Parity
from service.tasks.base import Predictor
from service.tasks.ner import GENERAL, VOCABULARY, NerParameters, ner_row
from service.text.spans import iob2_tags, tags_to_spans
from service.text.words import LONGEST_WORD, WordVocabulary, split_words, word_form
from training.config import NerExperiment
from training.data.augmentation import Augmentation
from training.data.batches import TokenBatchSampler, pad, token_batches
from training.data.conll import (
    TaggedSentence,
    WordSentence,
    read_sentences,
    to_words,
)
from training.data.everyday import (
    DEV_PATTERNS,
    TRAIN_PATTERNS,
    Mentions,
    collect_mentions,
    everyday_sentences,
)
from training.data.own_sentences import read_own_sentences
from training.data.spellings import Spellings
from training.data.tag_batches import Example, TagBatch
from training.entities import (
    Answered,
    Counts,
    answer,
    calibration_error,
    count,
    lowered,
    silent_types,
    total,
)
from training.errors import DataError
from training.graphs.graph import Graph
from training.graphs.tagger import tagger_graph
from training.models.pretrained import copy_words
from training.models.tag_temperature import fit_tag_temperature
from training.models.tagger import Tagger
from training.reports.entities import entity_parts
from training.reports.parts import Part
from training.tasks.base import Description, Measured, TrainingTask

_UNKNOWN_ID = 1
_LONGEST_INPUT = 5000
_PARITY_ROWS = 64
_DEV_BATCH_TOKENS = 4000
_CALIBRATE_EVERY = 2


class NerTask(TrainingTask[NerExperiment, Tagger]):
    def learn_vocabularies(self) -> None:
        """Frequent word forms and characters; the rest must be read from its characters.

        What the pretrained model knows is kept too, seen in the annotated text or not.
        """
        words: Counter[str] = Counter()
        chars: Counter[str] = Counter()
        for sentence in self._train_sentences:
            words.update(word_form(word) for word in sentence.words)
            chars.update(char for word in sentence.words for char in word)
        model = self.experiment.model
        kept = [word for word, count in words.most_common() if count >= model.min_word_count]
        spelt = [char for char, count in chars.most_common() if count >= model.min_char_count]
        if self.experiment.pretrained:
            known = self._pretrained_vocabulary
            kept, spelt = [*known.words, *kept], [*known.chars, *spelt]
        WordVocabulary(list(dict.fromkeys(kept)), list(dict.fromkeys(spelt))).save(
            self.run / VOCABULARY
        )

    @cached_property
    def vocabulary(self) -> WordVocabulary:
        return WordVocabulary.load(self.run / VOCABULARY)

    @property
    def tags(self) -> list[str]:
        return iob2_tags(self.experiment.labels)

    @property
    def conventions(self) -> tuple[str, ...]:
        """The general convention, and each source's own if there are several sources."""
        names = [source.name for source in self.experiment.sources]
        return (GENERAL, *(names if len(names) > 1 else ()))

    def build_model(self) -> Tagger:
        return Tagger(
            self.experiment.model,
            self.vocabulary.word_count,
            self.vocabulary.char_count,
            self.tags,
            len(self.conventions),
        )

    def start(self, model: Tagger) -> None:
        """With the words and the first layer of the pretrained model, if one is named."""
        if self.experiment.pretrained:
            checkpoint = self._pretrained_run / "best.ckpt"
            copy_words(checkpoint, self._pretrained_vocabulary, model, self.vocabulary)

    def train_loader(self, epoch: int) -> DataLoader[Any]:
        rng = np.random.default_rng([self.experiment.seed, epoch, 1])
        made = everyday_sentences(TRAIN_PATTERNS, self.experiment.everyday, self._mentions, rng)
        examples = [Example(self._augmentation(sentence, rng), "", 0) for sentence in made]
        for source, sentences in self._by_source.items():
            examples += [
                Example(self._augmentation(sentence, rng), source, self._drawn(source, rng))
                for sentence in sentences
            ]
        sampler = TokenBatchSampler(
            [len(example.sentence.words) for example in examples],
            self.experiment.trainer.batch_tokens,
            seed=self.experiment.seed,
            epoch=epoch,
        )
        return DataLoader(examples, batch_sampler=sampler, collate_fn=self._collate)  # type: ignore[arg-type]

    def dev_loader(self) -> DataLoader[Any]:
        """Each source's sentences under the general convention and under its own."""
        everyday = self.experiment.everyday // 10
        examples: list[Example] = []
        for source in self._by_source:
            found = [to_words(sentence) for sentence in self._read(source, "dev")]
            if everyday and source == self.experiment.sources[0].name:
                rng = np.random.default_rng(self.experiment.seed)
                made = everyday_sentences(DEV_PATTERNS, everyday, collect_mentions(found), rng)
                examples += [Example(sentence, "", 0) for sentence in made]
            for convention in sorted({0, self._convention(source)}):
                examples += [Example(sentence, source, convention) for sentence in found]
        lengths = [len(example.sentence.words) for example in examples]
        batches = token_batches(lengths, _DEV_BATCH_TOKENS)
        return DataLoader(examples, batch_sampler=batches, collate_fn=self._collate)  # type: ignore[arg-type]

    def loss(self, model: Tagger, batch: TagBatch) -> Tensor:
        words = batch.words.words
        rates = self._unknown_rates.to(words.device)[words]
        hidden = words.masked_fill(torch.rand_like(rates) < rates, _UNKNOWN_ID)
        emissions = model(*batch.words._replace(words=hidden), batch.conventions)
        with torch.autocast(words.device.type, enabled=False):
            return model.crf.loss(emissions, batch.allowed, batch.mask)

    def observe(self, model: Tagger, batch: TagBatch) -> Sequence[Any]:
        emissions = model(*batch.words, batch.conventions)
        found = model.crf.viterbi(emissions, batch.mask)
        gold = [row[: len(path)] for row, path in zip(batch.tags.tolist(), found, strict=True)]
        conventions = batch.conventions.tolist()
        return list(zip(batch.sources, conventions, found, gold, strict=True))

    def dev_scores(self, observations: Sequence[Any]) -> dict[str, float]:
        """F1 of each set under the general convention, their mean as the score; of each set under
        its own convention."""
        groups: dict[tuple[str, int], list[Counts]] = {}
        for source, convention, found, gold in observations:
            groups.setdefault((source, convention), []).append(self._counts(source, found, gold))
        scores = {key: total(counts).f1 for key, counts in sorted(groups.items())}
        general = {
            f"f1_{source or 'everyday'}": score
            for (source, convention), score in scores.items()
            if convention == 0
        }
        own = {f"f1_{source}_own": score for (source, other), score in scores.items() if other}
        return {"score": sum(general.values()) / len(general), **general, **own}

    def _counts(self, source: str, found: list[int], gold: list[int]) -> Counts:
        silent = silent_types(source, self.experiment.labels)
        ours = {
            s for s in tags_to_spans([self.tags[tag] for tag in found]) if s.label not in silent
        }
        theirs = set(tags_to_spans([self.tags[tag] for tag in gold]))
        return Counts(len(ours & theirs), len(ours), len(theirs))

    @torch.no_grad()
    def calibrate(self, model: Tagger) -> None:
        """Fit the temperature on part of the first source's dev set, general convention."""
        source = self.experiment.sources[0].name
        found = [to_words(sentence) for sentence in self._read(source, "dev")][::_CALIBRATE_EVERY]
        examples = [Example(sentence, source, 0) for sentence in found if sentence.words]
        lengths = [len(example.sentence.words) for example in examples]
        batches = [
            self._collate([examples[i] for i in rows])
            for rows in token_batches(lengths, _DEV_BATCH_TOKENS)
        ]
        answered = [
            (model(*batch.words, batch.conventions), batch.tags, batch.mask) for batch in batches
        ]
        fit_tag_temperature(model.crf, answered)

    def graphs(self, model: Tagger) -> dict[str, Graph]:
        return {"model": tagger_graph(model)}

    def describe(self, model: Tagger) -> Description:
        data = dict.fromkeys(
            (*self._by_source, *self._pretrained_data, *self.experiment.earlier_data)
        )
        return Description(
            use="Finds people (PER), organizations (ORG), locations (LOC) and times (TIME) in "
            "English text.",
            failures="The corpora disagree: nationalities count as LOC in news and are left out in "
            "web text, titles belong to a person in GMB only. `parameters.convention` asks for one "
            "source's reading; without it the model takes the one that the text looks like. GMB's "
            "labels are partly automatic: expect noise, mainly in ORG.",
            labels=self.experiment.labels,
            limits=Limits(longest_input=_LONGEST_INPUT),
            text={
                "longest_word": LONGEST_WORD,
                "lowercase_words": True,
                "conventions": " ".join(self.conventions),
            },
            vocabulary=VOCABULARY,
            data=tuple(data),
        )

    def parameters(self) -> NerParameters:
        return NerParameters()

    def dev_texts(self, count: int) -> list[str]:
        texts = [sentence.text for name in self._by_source for sentence in self._read(name, "dev")]
        return texts[:: max(1, len(texts) // count)][:count]

    def parity(self, model: Tagger, predictor: Predictor[Any]) -> Parity:
        sentences = [split_words(text) for text in self.dev_texts(_PARITY_ROWS)]
        rows = [[word.text for word in words] for words in sentences if words]
        examples = [
            Example(WordSentence(tuple(words), ("O",) * len(words)), "", i % len(self.conventions))
            for i, words in enumerate(rows)
        ]
        asked = [
            ner_row(self.vocabulary, example.sentence.words, example.convention)
            for example in examples
        ]
        served = predictor.run(asked)
        batch = self._collate(examples)
        with torch.no_grad():
            emissions = model(*batch.words, batch.conventions)
        paths = model.crf.viterbi(emissions, batch.mask)
        pairs = list(zip(emissions.numpy(), served, strict=True))
        errors = [
            np.abs(mine[: len(its["emissions"])] - its["emissions"]).max() for mine, its in pairs
        ]
        same = all(path == its["tags"].tolist() for path, its in zip(paths, served, strict=True))
        return Parity(max_abs_error=float(max(errors)), rows=len(rows), same_answers=same)

    def evaluate(self, predictor: Predictor[Any], split: str) -> list[Measured]:
        """F1 of each set as callers get it, then under its own convention; calibration and lower
        case of the first, GMB's times as they stand. The dev sets are the sources'."""
        sources = tuple(source.name for source in self.experiment.sources)
        names = self.experiment.test_sets if split == "test" else sources
        general = {name: self._answers(predictor, name, split) for name in names}
        measured = [_measured(name, "entity_f1", found) for name, found in general.items()]
        for name in names:
            if self._convention(name):
                found = self._answers(predictor, name, split, convention=name)
                measured.append(_measured(name, "entity_f1_own", found))
        for name in names[:1]:
            lower = self._answers(predictor, name, split, rewrite=lowered)
            measured.append(_measured(name, "entity_f1_lower", lower))
            error = calibration_error(general[name])
            measured.append(Measured(name, "calibration_error", error, len(general[name])))
        if "gmb" in names:
            raw = read_sentences("gmb", split, self.experiment.labels, repaired=False)
            pairs = zip(raw, general["gmb"], strict=True)
            clipped = [Answered(sentence, one.found) for sentence, one in pairs]
            measured.append(_measured("gmb", "entity_f1_unrepaired", clipped))
        if split == "dev" and self.experiment.own_sentences:
            own = answer(predictor, read_own_sentences(), NerParameters())
            measured.append(_measured("own sentences", "entity_f1_own_sentences", own))
        return measured

    def report_parts(self, predictor: Predictor[Any]) -> Sequence[Part]:
        answered: dict[str, list[Answered]] = {
            name: self._answers(predictor, name, "test") for name in self.experiment.test_sets
        }
        return entity_parts(answered, self.experiment.labels)

    def _answers(
        self,
        predictor: Predictor[Any],
        name: str,
        split: str,
        *,
        convention: str = GENERAL,
        rewrite: Callable[[str], str] = str,
    ) -> list[Answered]:
        return answer(
            predictor,
            self._read(name, split),
            NerParameters(convention=convention),
            silent=silent_types(name, self.experiment.labels),
            rewrite=rewrite,
        )

    @cached_property
    def _unknown_rates(self) -> Tensor:
        """(words,): how often each word of the vocabulary is made unknown in training."""
        ids = [self.vocabulary.word_ids(sentence.words) for sentence in self._train_sentences]
        found = np.bincount(np.concatenate(ids), minlength=self.vocabulary.word_count)
        counts = torch.from_numpy(found).float()
        alpha = self.experiment.model.word_dropout
        rates = alpha / (alpha + counts).clamp(min=1e-6)
        rates[:2] = 0  # padding and the unknown word itself
        return rates

    @cached_property
    def _mentions(self) -> Mentions:
        return collect_mentions(self._train_sentences)

    @cached_property
    def _augmentation(self) -> Augmentation:
        mentions = self._mentions
        return Augmentation(self.experiment.model, mentions.names, mentions.by_label)

    @cached_property
    def _by_source(self) -> dict[str, list[WordSentence]]:
        found: dict[str, list[WordSentence]] = {}
        for source in self.experiment.sources:
            sentences = [to_words(sentence) for sentence in self._read(source.name, "train")]
            found[source.name] = [s for s in sentences if s.words] * source.repeat
        return found

    @property
    def _train_sentences(self) -> list[WordSentence]:
        return [sentence for sentences in self._by_source.values() for sentence in sentences]

    @property
    def _pretrained_run(self) -> Any:
        return self.run.parent / self.experiment.pretrained

    @cached_property
    def _pretrained_vocabulary(self) -> WordVocabulary:
        path = self._pretrained_run / VOCABULARY
        if not path.exists():
            name = self.experiment.pretrained
            raise DataError(f"{path}: missing; train training/configs/{name}.yaml first")
        return WordVocabulary.load(path)

    @cached_property
    def _pretrained_data(self) -> tuple[str, ...]:
        return self.experiment.pretrained_data if self.experiment.pretrained else ()

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self.vocabulary)

    def _read(self, source: str, split: str) -> list[TaggedSentence]:
        return read_sentences(source, split, self.experiment.labels)

    def _convention(self, source: str) -> int:
        """A source's own convention; the general one where it has none."""
        return self.conventions.index(source) if source in self.conventions else 0

    def _drawn(self, source: str, rng: np.random.Generator) -> int:
        own = rng.random() < self.experiment.model.convention_rate
        return self._convention(source) if own else 0

    def _collate(self, examples: list[Example]) -> TagBatch:
        words = self._spellings.batch([self._spellings.forms(e.sentence.words) for e in examples])
        ids = {tag: i for i, tag in enumerate(self.tags)}
        tags = pad([[ids[tag] for tag in example.sentence.tags] for example in examples])
        allowed = torch.nn.functional.one_hot(tags, len(ids)).bool()
        open_tags = torch.tensor([self._open_tags(example.source) for example in examples])
        allowed |= (tags == 0)[:, :, None] & open_tags[:, None]
        return TagBatch(
            words,
            torch.tensor([example.convention for example in examples]),
            tags,
            allowed,
            [example.source for example in examples],
        )

    def _open_tags(self, source: str) -> list[bool]:
        """(tags,): what an O of the source may stand for, because it does not mark that type."""
        silent = silent_types(source, self.experiment.labels)
        return [tag[2:] in silent for tag in self.tags]


def _measured(name: str, metric: str, answered: Sequence[Answered]) -> Measured:
    return Measured(name, metric, count(answered).f1, len(answered))

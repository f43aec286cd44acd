"""Readers of the data sets: layouts, mappings, repairs, and files that are wrong."""

import gzip
import lzma
from pathlib import Path

import pytest

from service.text.spans import Span
from training.data.conll import (
    LABELS,
    TaggedSentence,
    read_sentences,
    repair_durations,
    to_spans,
    to_words,
    unannotated,
)
from training.data.files import data_root, read_lines
from training.data.parallel import SentencePair, group_references, read_pairs
from training.data.reviews import Review, balanced, read_reviews, read_texts
from training.data.unlabelled import read_unlabelled
from training.errors import DataError


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLUICE_DATA", str(tmp_path))
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    compress = gzip.compress if path.suffix == ".gz" else lzma.compress
    path.write_bytes(compress(text.encode()))


def test_gmb_types_become_ours_and_others_are_dropped(data: Path) -> None:
    lines = ["Bush\tNNP\tB-per", "visited\tV\tO", "Iraq\tNNP\tB-geo", "Nobel\tNNP\tB-art", ""]
    write(data / "ner/gmb/train.conll.gz", "\n".join(lines))
    assert read_sentences("gmb", "train")[0].tags == ("B-PER", "O", "B-LOC", "O")


def test_clipped_durations_are_repaired() -> None:
    clipped = TaggedSentence(("two", "weeks", "ago"), ("B-TIME", "O", "O"))
    assert repair_durations(clipped).tags == ("B-TIME", "I-TIME", "O")
    whole = TaggedSentence(("two", "dogs", "weeks"), ("B-TIME", "O", "O"))
    assert repair_durations(whole) == whole


def test_words_finer_than_tokens_share_the_entity() -> None:
    sentence = TaggedSentence(("a", "10-year", "plan"), ("O", "B-TIME", "O"))
    found = to_words(sentence)
    assert found.words == ("a", "10", "-", "year", "plan")
    assert found.tags == ("O", "B-TIME", "I-TIME", "I-TIME", "O")


def test_character_spans_become_token_spans() -> None:
    sentence = TaggedSentence(("Anna", "Lee-Smith", "left"), ("B-PER", "I-PER", "O"))
    assert to_spans(sentence, [("PER", 0, 8)]) == [Span("PER", 0, 2)]
    assert to_spans(sentence, [("PER", 4, 5)]) == [None]


def test_types_that_a_source_does_not_mark_are_told(data: Path) -> None:
    assert unannotated("uner_ewt", LABELS) == {"TIME"}
    assert unannotated("gmb", LABELS) == frozenset()
    write(data / "ner/uner_ewt/dev.conll.gz", "# newdoc id = a\n\nAnna\tB-PER\n\n")
    assert read_sentences("uner_ewt", "dev")[0].tokens == ("Anna",)


def test_conll2003_has_its_own_file_names_and_blanks(data: Path) -> None:
    write(data / "ner/conll2003/eng.testa.gz", "EU NNP B-NP B-ORG\nGerman JJ B-NP B-MISC\n\n")
    assert read_sentences("conll2003", "dev")[0].tags == ("B-ORG", "O")
    labels = ("PER", "ORG", "LOC", "MISC")
    assert read_sentences("conll2003", "dev", labels)[0].tags == ("B-ORG", "B-MISC")


def test_unlabelled_text_is_read_from_every_layout(data: Path) -> None:
    write(
        data / "language_modeling/masc/masc.tsv.xz", "category\tfile\ttokens\ttags\na\tb\tHi .\tX\n"
    )
    turns = '{"turns": [["USER", "One. Two?"]]}\n'
    write(data / "other/schema_guided_dialogue/train.jsonl.xz", turns)
    write(data / "translation/tatoeba_en-de/train.tsv.xz", "Hi!\tNa!\nHi!\tHallo!\n")
    write(
        data / "sentiment/imdb/train.tsv.gz",
        "label\ttext\n1\tOf the dev part.\n1\tGood.<br />Fine.\n",
    )
    assert list(read_unlabelled("masc")) == ["Hi ."]
    assert list(read_unlabelled("schema_guided_dialogue")) == ["One.", "Two?"]
    assert list(read_unlabelled("tatoeba_en-de")) == ["Hi!"]
    assert list(read_unlabelled("imdb")) == ["Good.", "Fine."]


def test_document_marks_are_not_sentences(data: Path) -> None:
    write(data / "ner/redocred/dev.conll.gz", "-DOCSTART-\tO\n\nAnna\tB-PER\n\n")
    assert [sentence.tokens for sentence in read_sentences("redocred", "dev")] == [("Anna",)]


def test_a_line_separator_inside_a_sentence_does_not_end_it(data: Path) -> None:
    write(data / "translation/tatoeba_en-fr/dev.tsv.xz", "Hi!\tSalut\u2028!\n")
    assert read_pairs("tatoeba_en-fr", "dev", ("fr", "en")) == [SentencePair("Salut\u2028!", "Hi!")]


def test_columns_are_found_by_their_header(data: Path) -> None:
    write(data / "translation/massive/train.tsv.xz", "id\ten\tde\n1\tstop\thalt\n")
    assert read_pairs("massive", "train", ("de", "en")) == [SentencePair("halt", "stop")]
    with pytest.raises(DataError, match="no en-hi columns"):
        read_pairs("massive", "train", ("en", "hi"))


def test_four_references_make_four_pairs(data: Path) -> None:
    header = "seg_id\thi\ten0\ten1\ten2\ten3"
    write(data / "translation/indian_parallel_hi-en/dev.tsv.xz", f"{header}\n1\tक\ta\tb\t\td\n")
    pairs = read_pairs("indian_parallel_hi-en", "dev", ("hi", "en"))
    assert [pair.target for pair in pairs] == ["a", "b", "d"]


def test_captions_stand_behind_their_places(data: Path) -> None:
    write(data / "translation/hindi_visual_genome/test.tsv.xz", "1\t2\t3\t4\t5\ta cat\tबिल्ली\n")
    pairs = read_pairs("hindi_visual_genome", "test", ("en", "hi"))
    assert pairs == [SentencePair("a cat", "बिल्ली")]


def test_line_aligned_files_are_read_side_by_side(data: Path) -> None:
    for code, text in (("en", "a cat\na dog\n"), ("de", "eine Katze\nein Hund\n")):
        write(data / f"translation/multi30k/val.{code}.xz", text)
    pairs = read_pairs("multi30k", "dev", ("de", "en"))
    assert pairs == [SentencePair("eine Katze", "a cat"), SentencePair("ein Hund", "a dog")]


def test_translations_of_one_source_are_its_references() -> None:
    pairs = [SentencePair("hi", "hallo"), SentencePair("bye", "ade"), SentencePair("hi", "na")]
    assert [row.targets for row in group_references(pairs)] == [("hallo", "na"), ("ade",)]


def test_neutral_reviews_are_left_out_and_titles_kept(data: Path) -> None:
    rows = ["rating\tlabel\ttitle\ttext", "5\t1\tLovely\tsoft", "3\t\t\tfine", "1\t0\t\ttorn"]
    write(data / "sentiment/clothing_reviews/dev.tsv.gz", "\n".join(rows) + "\n")
    assert read_reviews("clothing_reviews", "dev") == [Review("Lovely. soft", 1), Review("torn", 0)]


def test_every_tenth_imdb_review_is_for_development(data: Path) -> None:
    rows = ["id\trating\tlabel\ttext", *(f"pos/{i}\t9\t1\ttext {i}" for i in range(20))]
    write(data / "sentiment/imdb/train.tsv.gz", "\n".join(rows) + "\n")
    dev, train = (read_reviews("imdb", split) for split in ("dev", "train"))
    assert [review.text for review in dev] == ["text 0", "text 10"]
    assert len(train) == 18
    assert not set(dev) & set(train)


def test_language_models_read_neutral_reviews_too(data: Path) -> None:
    rows = ["rating\tlabel\ttitle\ttext", "5\t1\tLovely\tsoft", "3\t\t\tfine"]
    write(data / "sentiment/clothing_reviews/train.tsv.gz", "\n".join(rows) + "\n")
    assert read_texts("clothing_reviews") == ["Lovely. soft", "fine"]


def test_balancing_keeps_as_many_of_each_label() -> None:
    kept = balanced([Review(str(i), int(i > 2)) for i in range(10)])
    assert [review.label for review in kept] == [0] * 3 + [1] * 3


def test_a_missing_file_is_named(data: Path) -> None:
    with pytest.raises(DataError, match=r"gmb/train\.conll\.gz: missing; run"):
        read_sentences("gmb", "train")


def test_a_damaged_file_is_named(data: Path) -> None:
    path = data / "ner/gmb/train.conll.gz"
    write(path, "Anna\tNNP\tB-per\n" * 2000)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"train\.conll\.gz: damaged"):
        list(read_lines(path))


def test_a_row_with_too_few_columns_is_named(data: Path) -> None:
    write(data / "translation/tatoeba_en-de/train.tsv.xz", "Hi\tHallo\nBye\n")
    with pytest.raises(DataError, match="line 2 has 1 columns, not 2"):
        read_pairs("tatoeba_en-de", "train", ("en", "de"))


def test_a_missing_data_folder_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_DATA", "/nowhere/at/all")
    with pytest.raises(DataError, match="set SLUICE_DATA or run"):
        data_root()

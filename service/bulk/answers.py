"""Answers of a predictor as a column."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
from msgspec import inspect

from service.tasks.base import Parameters, Predictor, Prepared
from service.tasks.errors import InputRefused

_PLAIN: dict[type[inspect.Type], pa.DataType] = {
    inspect.StrType: pa.string(),
    inspect.FloatType: pa.float64(),
    inspect.IntType: pa.int64(),
    inspect.BoolType: pa.bool_(),
}


class Answers(NamedTuple):
    """What each text was answered; `errors` says why one was not."""

    values: list[Any]
    errors: list[str | None]


def answer_texts(
    predictor: Predictor[Any], texts: Sequence[Any], parameters: Parameters
) -> Answers:
    """Answer every text that can be answered; what one refuses costs no other its answer."""
    prepared: list[Prepared | None] = []
    errors: list[str | None] = []
    for text in texts:
        try:
            prepared.append(_prepare(predictor, text, parameters))
            errors.append(None)
        except InputRefused as refused:
            prepared.append(None)
            errors.append(str(refused))
    rows = [row for part in prepared if part for row in part.rows]
    results = iter(predictor.run(rows) if rows else [])
    values = [
        msgspec.to_builtins(predictor.answer(part, [next(results) for _ in part.rows]))
        if part
        else None
        for part in prepared
    ]
    return Answers(values, errors)


def with_answers(table: pa.Table, answers: Answers, kind: pa.DataType) -> pa.Table:
    """A table with the columns `answer` and `error` added."""
    return table.append_column("answer", pa.array(answers.values, kind)).append_column(
        "error", pa.array(answers.errors, pa.string())
    )


def arrow_type(annotation: Any) -> pa.DataType:
    """The Arrow type of a predictor's answers: one for all chunks, empty ones too."""
    return _arrow(inspect.type_info(annotation))


def _arrow(told: inspect.Type) -> pa.DataType:
    if isinstance(told, inspect.StructType):
        return pa.struct([(field.encode_name, _arrow(field.type)) for field in told.fields])
    if isinstance(told, inspect.ListType):
        return pa.list_(_arrow(told.item_type))
    if isinstance(told, inspect.VarTupleType):
        return pa.list_(_arrow(told.item_type))
    if isinstance(told, inspect.UnionType):
        [kind] = [kind for kind in told.types if not isinstance(kind, inspect.NoneType)]
        return _arrow(kind)
    return _PLAIN[type(told)]


def _prepare(predictor: Predictor[Any], text: Any, parameters: Parameters) -> Prepared:
    if not isinstance(text, str):
        raise InputRefused(f"the text is {type(text).__name__}, not a string")
    return predictor.prepare(text, parameters)

"""The routes: one row a task, and the pages that tell about them."""

from typing import Literal

from service.http.inference import TaskRoute

TASK_ROUTES = (
    TaskRoute(
        "/ner",
        "ner",
        {"aggregation_strategy": Literal["simple"] | None, "ignore_labels": None, "stride": None},
    ),
    TaskRoute(
        "/sentiment",
        "sentiment",
        {"function_to_apply": Literal["softmax"] | None, "top_k": None},
        as_list=True,
        blank_refused=True,
    ),
    TaskRoute(
        "/translate",
        "translation",
        {"clean_up_tokenization_spaces": None, "truncation": None, "generate_parameters": None},
        required=("tgt_lang",),
        stream_path="/translate/stream",
        blank_refused=True,
    ),
    TaskRoute(
        "/detect",
        "detection",
        {"function_to_apply": Literal["softmax"] | None},
        as_list=True,
        blank_refused=True,
    ),
    TaskRoute("/transliterate", "transliteration", {}, blank_refused=True),
)

SYSTEM_PATHS = ("/livez", "/healthz", "/readyz")
"""BentoML answers these before our routes see them; only a wrong method comes through."""

"""One call a task to try: on the start page, in the OpenAPI document, at the start-up."""

import json
from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "ner": {"inputs": "Rudolph Smith bought 1000 shares of Tesla Inc. in March 2020."},
    "sentiment": {"inputs": "There is nothing to like in this movie."},
    "translation": {
        "inputs": "how are you?",
        "parameters": {"src_lang": "en", "tgt_lang": "de"},
    },
    "detection": {"inputs": "Voulez-vous chanter avec moi?"},
    "transliteration": {"inputs": "kya tumne khana khaya?"},
}


def curl(address: str, path: str, task: str) -> str:
    """A command line that calls `path` of the service at `address`."""
    body = json.dumps(EXAMPLES[task])
    return f"curl -s {address}{path} -H 'Content-Type: application/json' -d '{body}'"

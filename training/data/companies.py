"""Names of companies with their legal forms, of which the corpora hold few."""

from collections.abc import Sequence

import numpy as np

_LEGAL_FORMS = [
    "Inc", "Inc.", ", Inc.", "Corp", "Corp.", "Corporation", "Co.", "& Co.", "Company", "Ltd",
    "Ltd.", "Limited", "LLC", "LLP", "L.P.", "PLC", "plc", "GmbH", "AG", "KG", "GmbH & Co. KG",
    "SE", "S.A.", "SA", "SAS", "S.p.A.", "S.r.l.", "B.V.", "N.V.", "AB", "ASA", "Oy", "A/S",
    "Pty Ltd", "Pvt", "Pvt.", "Pvt Ltd", "Pvt. Ltd.", "Private Limited", "K.K.", "Co. , Ltd.",
    "Holdings", "Group",
]  # fmt: skip
_TRADES = [
    "Systems", "Technologies", "Software", "Foods", "Motors", "Pharma", "Energy", "Industries",
    "Logistics", "Partners", "Capital", "Media", "Bank", "Insurance", "Airlines", "Solutions",
    "Labs", "Robotics", "Textiles", "Steel", "Consulting", "Networks", "Electronics", "Pictures",
    "Hotels",
]  # fmt: skip


def company_name(names: Sequence[str], rng: np.random.Generator) -> str:
    """A name with a trade, a legal form or both; people and places give companies their names."""
    first = names[int(rng.integers(len(names)))]
    if rng.random() < 0.25:
        joint = ["&", "and", "-"][int(rng.integers(3))]
        first = f"{first} {joint} {names[int(rng.integers(len(names)))]}"
    trade = _TRADES[int(rng.integers(len(_TRADES)))]
    form = _LEGAL_FORMS[int(rng.integers(len(_LEGAL_FORMS)))]
    drawn = rng.random()
    if drawn < 0.25:
        return f"{first} {trade}"
    return f"{first} {form}" if drawn < 0.7 else f"{first} {trade} {form}"

"""Texts that hypothesis draws: any characters, and the awkward ones put together."""

from hypothesis import strategies as st

AWKWARD = (
    "a", "B", "é", "e\u0301", "\u0301", "ß", "İ", "7", "٣", "²", ".", "...", "!", "?",
    "…", '"', "”", "»", ")", "(", "¿", "-", "_", "\u2581", "<", ">", "</s>", "<s>",
    "<pad>", "<2de>", "<0x41>", "<0xFF>", "U.S.", "Dr.", "z.B.", "e.g.", " ", "  ",
    "\t", "\n", "\r\n", "\x00", "\x07", "\x1c", "\x85", "\xa0", "\xad", "\u2028",
    "\u200b", "\u200d", "\u200e", "\ufeff", "\u0964", "हिन्दी", "क्ष", "ि", "שלום",
    "مرحبا", "\u202e", "日本語", "ไทย", "🙂", "👍🏽", "👩\u200d💻", "🇩🇪", "\U000e0041",
    "\U0010ffff",
)  # fmt: skip

_ASSIGNED = st.characters(exclude_categories=("Cs", "Cn"))

TEXTS = st.one_of(
    st.text(_ASSIGNED, max_size=60),
    st.lists(st.sampled_from(AWKWARD), max_size=30).map("".join),
    st.lists(st.sampled_from(AWKWARD) | st.text(_ASSIGNED, max_size=3), max_size=20).map("".join),
)

_SURROGATES = st.characters(categories=["Cs"])

WITH_SURROGATES = st.one_of(TEXTS, st.text(_ASSIGNED | _SURROGATES, max_size=30))
"""Lone surrogates too, which JSON can carry and UTF-8 cannot."""

"""The languages that translation speaks, and the tokens that name them to the model."""

LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "hi": "Hindi",
}


def language_token(code: str) -> str:
    """The sub-word that asks the model for target language `code` (Johnson et al., TACL 2017)."""
    return f"<2{code}>"


LANGUAGE_TOKENS = [language_token(code) for code in LANGUAGES]


def language_of(code: str | None) -> str | None:
    """The language that a code names: `hi-Latn` is Hindi, in Latin letters."""
    return "hi" if code == "hi-Latn" else code

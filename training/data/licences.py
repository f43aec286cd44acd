"""Licences and attributions of the data sets, as they go into manifests and model cards."""

from service.bundle import DataSet

_TATOEBA = ("CC BY 2.0 FR", "tatoeba.org and manythings.org/anki contributors")

DATA_SETS = {
    found.name: found
    for found in [
        DataSet(
            name="gmb",
            licence="texts public domain; no licence stated for the annotations",
            attribution="Groningen Meaning Bank; Bos, Basile, Evang, Venhuizen, Bjerva 2017",
        ),
        DataSet(
            name="redocred",
            licence="MIT (annotations), CC BY-SA (Wikipedia text)",
            attribution="Re-DocRED, Tan et al. 2022; DocRED, Yao et al. 2019; Wikipedia authors",
        ),
        DataSet(
            name="uner_ewt",
            licence="CC BY-SA 4.0",
            attribution="Universal NER, English Web Treebank; Mayhew et al. 2024",
        ),
        DataSet(
            name="wnut17",
            licence="CC BY 4.0",
            attribution="WNUT 2017 emerging entities; Derczynski et al. 2017",
        ),
        DataSet(
            name="conll2003",
            licence="research only, Reuters text: not for shipped weights",
            attribution="CoNLL-2003 shared task; Tjong Kim Sang and De Meulder 2003; Reuters",
        ),
        DataSet(
            name="masc",
            licence="free for research and development, commercial too",
            attribution="Manually Annotated Sub-Corpus; Ide et al. 2010",
        ),
        DataSet(
            name="schema_guided_dialogue",
            licence="CC BY-SA 4.0",
            attribution="Schema-Guided Dialogue, Google; Rastogi et al. 2020",
        ),
        DataSet(
            name="pros_cons",
            licence="CC BY 4.0",
            attribution="Pros and cons dataset by Bing Liu; Ganapathibhotla and Liu 2008",
        ),
        DataSet(
            name="customer_reviews",
            licence="CC BY 4.0",
            attribution="Minqing Hu and Bing Liu 2004; Xiaowen Ding, Bing Liu, Philip S. Yu 2008",
        ),
        DataSet(name="mr", licence="CC BY 4.0", attribution="Bo Pang and Lillian Lee 2005"),
        DataSet(
            name="clothing_reviews",
            licence="not stated for the texts",
            attribution="Women's E-Commerce Clothing Reviews",
        ),
        DataSet(
            name="amazon_multidomain",
            licence="not stated",
            attribution="Multi-Domain Sentiment Dataset; Blitzer, Dredze, Pereira 2007",
        ),
        DataSet(
            name="sst",
            licence="not stated",
            attribution="Stanford Sentiment Treebank; Socher et al. 2013",
        ),
        DataSet(
            name="imdb",
            licence="not stated",
            attribution="Large Movie Review Dataset; Maas et al. 2011",
        ),
        *(
            DataSet(name=f"tatoeba_en-{code}", licence=_TATOEBA[0], attribution=_TATOEBA[1])
            for code in ("de", "fr", "es", "hi")
        ),
        DataSet(
            name="massive",
            licence="CC BY 4.0",
            attribution="MASSIVE 1.0, Amazon; FitzGerald et al. 2023",
        ),
        DataSet(
            name="language_identification",
            licence=_TATOEBA[0],
            attribution="tatoeba.org contributors, by way of the Tatoeba Translation Challenge; "
            "Tiedemann 2020",
        ),
        DataSet(
            name="wordfreq",
            licence="CC BY-SA 4.0",
            attribution="wordfreq 3.1, Robyn Speer 2022: Hindi word frequencies from Wikipedia, "
            "OPUS OpenSubtitles 2018 (opensubtitles.org), the Leeds Internet Corpus, ParaCrawl, "
            "Twitter",
        ),
        DataSet(
            name="dakshina_hi",
            licence="CC BY-SA 4.0",
            attribution="Dakshina dataset, Google; Roark et al. 2020",
        ),
        DataSet(
            name="aksharantar_hi",
            licence="CC BY or CC0, as published by AI4Bharat; not stated for this sample",
            attribution="Aksharantar, AI4Bharat; Madhani et al. 2022",
        ),
        DataSet(
            name="tico19",
            licence="CC0 1.0",
            attribution="TICO-19; Anastasopoulos et al. 2020",
        ),
        DataSet(
            name="indian_parallel_hi-en",
            licence="CC BY-SA 3.0",
            attribution="Indian parallel corpora; Post, Callison-Burch, Osborne 2012",
        ),
    ]
}


def licence_of(name: str) -> DataSet:
    """The entry of a data set; an own one is its user's to licence."""
    own = DataSet(name=name, licence="the user's own data", attribution="not stated")
    return DATA_SETS.get(name, own)

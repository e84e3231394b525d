"""The names that columns usually have."""

LABELS = {"label", "labels", "target", "class", "category", "sentiment"}
PAIRS = {
    "sentence1": "sentence2",
    "question": "sentence",
    "premise": "hypothesis",
    "text": "text_pair",
    "question1": "question2",
}
TEXTS = {"sentence", "review", "content", "document", "comment", "tweet", "passage", *PAIRS, *PAIRS.values()}

"""The figures that README and docs quote; `make figures ARGS=--check` compares them with what a user gets."""

from __future__ import annotations

from docs.quoted import FIGURES, quoted, rewrite

BEAR = {
    "target": {"index": 295, "label": "American black bear"},
    "scores": {
        "original": 13.7624,
        "perturbed": 1.1234,
        "threshold": 13.7624,
        "threshold_rule": "share-of-original",
        "original_probability": 0.8694,
    },
    "curve": [
        {"area": 0.05, "measured_area": 0.05001, "preserve": 7.504, "delete": 8.2099, "preserve_probability": 0.0191}
    ],
    "optimal_area": 0.05,
    "monotonic": True,
    "stability": {"walks": 32, "optimal_areas": [0.05, None]},
    "alternatives": [],
    "warnings": [],
    "contrast": {"rival": {"index": 367, "label": "chimpanzee"}, "area": 0.05, "original": 3.579, "preserve": 9.071},
}


def test_every_figure_is_quoted_and_known() -> None:
    assert {name for _, name, _ in quoted()} == set(FIGURES)
    assert all(text.strip() for _, _, text in quoted())


def test_only_what_stands_between_the_marks_of_a_run_is_written_anew() -> None:
    text = "a <!-- figures: finding -->old<!-- end --> b <!-- figures: channels -->kept<!-- end --> c"
    made = rewrite(text, {"black_bear": BEAR})
    seen = "5% of what the network sees of the first photograph"
    finding = f'{seen} suffices for the full score of "American black bear".'
    assert made == text.replace("old", finding)
    assert rewrite(made, {"black_bear": BEAR}) == made


def test_an_answer_is_rounded() -> None:
    made = rewrite("<!-- figures: answer --><!-- end -->", {"black_bear": BEAR})
    assert '"preserve": 7.50, "delete": 8.21, "preserve_probability": 0.019, "mask": ".../masks/0.05.png"' in made
    assert '"optimal_areas": [0.05, null]' in made

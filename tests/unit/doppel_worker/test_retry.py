from __future__ import annotations

import itertools

from doppel_models.errors import ModelsError
from doppel_models.sentences import Sentence, sentence
from doppel_worker.retry import Failures


def test_each_failure_in_a_row_doubles_the_pause_up_to_a_minute() -> None:
    failures, now, tries = Failures(), 0.0, []
    while now < 400:
        if failures.is_due(now):
            tries.append(now)
            failures.add(ModelsError("no"), now)
        now += 0.5
    pauses = [after - before for before, after in itertools.pairwise(tries)]
    assert pauses == [2.5, 4.5, 8.5, 16.5, 32.5, *[64.5] * (len(pauses) - 5)]
    assert len(pauses) > 6


def test_what_is_told_is_the_last_error_in_the_users_words_or_its_kind() -> None:
    failures = Failures()
    failures.add(MemoryError(), 0.0)
    assert failures.why == "MemoryError"
    failures.add(ModelsError(sentence("lane.no-memory", "there is not enough memory")), 1.0)
    assert isinstance(failures.why, Sentence)
    assert failures.why.key == "lane.no-memory"

from __future__ import annotations

import itertools

from doppel_ipc.messages import AddPersona, Message, PersonaAdded
from doppel_obs.persona_requests import NewPersona, PersonaRequests

from tests.unit.doppel_obs.english import words


class Bench:
    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.said: list[tuple[int, str]] = []
        self.chosen: list[int] = []
        self.settings: dict[str, object] = {}
        self.photo: object = "/photo.png"
        serials = itertools.count(1)
        self.requests = PersonaRequests(
            self.sent.append,
            lambda: next(serials),
            lambda filter_id, *phrases: self.said.append((filter_id, words(*phrases))),
            self._choose,
            lambda _: self.photo,
        )

    def _choose(self, filter_id: int, settings: dict[str, object]) -> None:
        self.chosen.append(filter_id)
        self.settings = settings

    def ask(self, filter_id: int, *, ready: bool = True) -> None:
        self.requests.ask(filter_id, NewPersona(("/photo.png",), "Ann", "own", licence=False), ready=ready)


def test_the_answer_reaches_the_filter_that_asked() -> None:
    bench = Bench()
    bench.ask(4)
    request = bench.sent[0]
    assert isinstance(request, AddPersona)
    bench.requests.answered(PersonaAdded(request.request, True, "ann", (), ""))

    assert bench.chosen == [4]
    assert bench.said[-1] == (4, "The face was added.")


def test_what_the_user_has_begun_to_add_meanwhile_is_not_wiped() -> None:
    bench = Bench()
    bench.ask(4)
    bench.photo = "/another.png"
    bench.requests.answered(PersonaAdded(1, True, "ann", (), ""))

    assert bench.settings == {"persona": "ann"}


def test_a_model_that_is_no_persona_is_kept_and_the_face_stays() -> None:
    bench = Bench()
    bench.ask(4)
    bench.requests.answered(PersonaAdded(1, True, "", (), ""))

    assert "persona" not in bench.settings
    assert not bench.settings["add_licence"]
    assert "model was added" in bench.said[-1][1]


def test_without_a_worker_that_is_ready_the_user_hears_so_at_once() -> None:
    bench = Bench()
    bench.ask(4, ready=False)

    assert bench.sent == []
    assert len(bench.said) == 1
    assert "not ready" in bench.said[0][1]


def test_what_a_worker_leaves_open_is_answered_when_it_is_lost() -> None:
    bench = Bench()
    bench.ask(4)
    bench.requests.worker_lost()
    bench.requests.worker_lost()

    assert [text for _, text in bench.said if "stopped" in text] == [
        "Nothing was added: the worker stopped. Try again."
    ]


def test_the_request_of_a_filter_that_is_gone_is_forgotten() -> None:
    bench = Bench()
    bench.ask(4)
    bench.ask(5)
    bench.requests.filter_gone(4)
    bench.requests.answered(PersonaAdded(1, True, "ann", (), ""))
    bench.requests.worker_lost()

    assert bench.chosen == []
    assert [filter_id for filter_id, text in bench.said if "stopped" in text] == [5]


def test_each_warning_is_a_sentence_on_a_line_of_its_own() -> None:
    bench = Bench()
    bench.ask(4)
    warnings = (
        "the face in me.png is only 89 pixels wide",
        "me.png is very dark; use a photo in brighter light",
    )
    bench.requests.answered(PersonaAdded(1, True, "ann", warnings, ""))

    assert bench.said[-1][1].splitlines() == [
        "The face was added.",
        "The face in me.png is only 89 pixels wide.",
        "me.png is very dark; use a photo in brighter light.",
    ]

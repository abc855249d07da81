from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from doppel_ipc import messages
from doppel_ipc.channel import coalesce_key
from doppel_ipc.errors import ProtocolError, ProtocolFault
from doppel_ipc.messages import TO_OBS, TO_WORKER, Message, from_object, to_object
from doppel_ipc.settings import FilterSettings
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire import HELLO, any_message, instances, open_lane

TABLES = pytest.mark.parametrize("table", [TO_WORKER, TO_OBS], ids=["to worker", "to OBS"])
EVERY = [(name, table) for table in (TO_WORKER, TO_OBS) for name in table]


def fault_of(data: dict[str, Any], table: dict[str, type[Any]]) -> ProtocolFault:
    with pytest.raises(ProtocolError) as caught:
        from_object(data, table)
    return caught.value.fault


@TABLES
@given(data=st.data())
def test_a_message_survives_json_both_ways(table: dict[str, type[Any]], data: st.DataObject) -> None:
    message = data.draw(any_message(table))
    wire = json.dumps(to_object(message), allow_nan=False)
    again = from_object(json.loads(wire), table)
    assert again == message
    assert json.dumps(to_object(again)) == wire


@pytest.mark.parametrize(("name", "table"), EVERY)
@settings(max_examples=10)
@given(data=st.data())
def test_every_missing_unknown_or_wrong_field_is_named(
    name: str, table: dict[str, type[Any]], data: st.DataObject
) -> None:
    wire = to_object(data.draw(instances(table[name])))
    assert fault_of({**wire, "surplus": 1}, table) is ProtocolFault.UNKNOWN_FIELD
    for key in wire.keys() - {"type"}:
        without = {other: value for other, value in wire.items() if other != key}
        assert fault_of(without, table) is ProtocolFault.MISSING_FIELD
        wrong: object = data.draw(st.sampled_from((None, float("nan"), -1, 10**400, "x" * 5000, {"a": {}})))
        with pytest.raises(ProtocolError) as caught:
            from_object({**wire, key: wrong}, table)
        # The parts of a nested object are checked one by one.
        assert caught.value.fault in (ProtocolFault.BAD_FIELD, ProtocolFault.UNKNOWN_FIELD)


@pytest.mark.parametrize("kind", [None, 7, [], {}, "", "ready2", "lane_opened", "x" * 100_000])
def test_a_type_that_does_not_come_this_way_is_refused(kind: object) -> None:
    assert fault_of({"type": kind, "lane": 1}, TO_WORKER) is ProtocolFault.UNKNOWN_TYPE
    assert fault_of({"lane": 1}, TO_WORKER) is ProtocolFault.UNKNOWN_TYPE


def test_another_version_is_told_before_its_fields_are_looked_at() -> None:
    assert fault_of({"type": "hello", "version": 98, "strange": True}, TO_WORKER) is ProtocolFault.VERSION
    assert fault_of({"type": "ready", "version": 99}, TO_OBS) is ProtocolFault.VERSION


@pytest.mark.parametrize("version", [True, "1", 1.0, None, 0])
def test_a_version_that_is_no_number_is_refused(version: object) -> None:
    with pytest.raises(ProtocolError):
        from_object({**to_object(HELLO), "version": version}, TO_WORKER)


def test_settings_that_the_table_does_not_allow_are_refused() -> None:
    wire = to_object(open_lane(1))
    values = {**FilterSettings().to_json(), "strength": 1.5}
    with pytest.raises(ProtocolError, match=r"settings: strength: 1\.5 is not within 0\.\.1"):
        from_object({**wire, "settings": values}, TO_WORKER)


def test_settings_that_are_left_out_take_their_default() -> None:
    wire = to_object(open_lane(1))
    message = from_object({**wire, "settings": {"persona": "bronze"}}, TO_WORKER)
    assert message == open_lane(1, FilterSettings(persona="bronze"))


def test_a_lane_is_opened_without_a_face_where_nothing_else_is_said() -> None:
    assert not open_lane(1).face_lately
    assert to_object(open_lane(1))["face_lately"] is False


def test_text_that_no_utf8_can_hold_is_made_such_that_it_can() -> None:
    data = json.loads('{"type": "event", "lane": 0, "code": "persona", "text": "face\\ud800.png"}')
    event = from_object(data, TO_OBS)
    assert isinstance(event, messages.Event)
    assert event.text.encode() == b"face?.png"


def test_a_value_of_ours_that_is_not_valid_is_not_sent() -> None:
    with pytest.raises(ProtocolError, match=r"Ping\.number") as caught:
        to_object(messages.Ping(-1))
    assert caught.value.fault is ProtocolFault.BAD_FIELD


@given(one=any_message({**TO_WORKER, **TO_OBS}), other=any_message({**TO_WORKER, **TO_OBS}))
def test_only_messages_of_one_kind_and_lane_replace_each_other(one: Message, other: Message) -> None:
    if coalesce_key(one) is not None and coalesce_key(one) == coalesce_key(other):
        assert type(one) is type(other)
        assert getattr(one, "lane", 0) == getattr(other, "lane", 0)


def test_what_opens_closes_or_answers_is_never_replaced() -> None:
    kept = {cls for cls in (*TO_WORKER.values(), *TO_OBS.values()) if not _replaceable(cls)}
    assert kept == {
        messages.Hello, messages.OpenLane, messages.CloseLane, messages.Prepare, messages.AddPersona,
        messages.Ready, messages.LaneOpened, messages.PersonaAdded, messages.Error, messages.Event,
    }  # fmt: skip


def _replaceable(cls: type[Any]) -> bool:
    message = object.__new__(cls)
    for field in dataclasses.fields(cls):
        object.__setattr__(message, field.name, 1)
    return coalesce_key(message) is not None

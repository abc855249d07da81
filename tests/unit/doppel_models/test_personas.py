import dataclasses
import json

import pytest
from doppel_ipc.messages import PersonaInfo
from doppel_models.errors import PersonaError
from doppel_models.personas import (
    BUILT_INS,
    CONSENT_GROUNDS,
    HOME_ENV,
    RECORD_NAME,
    Consent,
    PersonaStore,
    default_folder,
    slug,
)
from hypothesis import given
from hypothesis import strategies as st

OWN = Consent.now("own", "Jo")
PICTURES = [(".png", b"one"), (".jpg", b"two")]


@pytest.fixture
def store(tmp_path) -> PersonaStore:
    return PersonaStore(tmp_path / "personas")


def _edit(store, persona, **changes):
    path = persona.folder / RECORD_NAME
    record = json.loads(path.read_text())
    record.update(changes)
    path.write_text(json.dumps({key: value for key, value in record.items() if value is not ...}))


def test_a_saved_persona_is_read_back(store):
    saved = store.save("  Zoë  B. ", PICTURES, OWN, ["a little dark"], {"proportions": 0.5})
    again = PersonaStore(store.folder).get(saved.id)
    assert again == saved
    assert again.id == "zoe-b"
    assert again.name == "Zoë B."
    assert [path.read_bytes() for path in again.paths] == [b"one", b"two"]
    assert again.consent == OWN
    assert again.warnings == ("a little dark",)


def test_many_long_warnings_are_cut_to_what_a_message_to_obs_holds(store):
    said = [f"{number} {'long ' * (1000 if number == 0 else 1)}" for number in range(48)]
    kept = store.save("Zoe", PICTURES, OWN, said).warnings
    accepted = next(field for field in dataclasses.fields(PersonaInfo) if field.name == "warnings")
    assert accepted.metadata["parser"](kept) == kept
    assert kept[1] == said[1]


def test_the_revision_changes_when_a_persona_is_replaced_or_removed(store):
    before = store.revision(store.save("Zoe", PICTURES, OWN).id)
    assert store.save("Zoe", [(".png", b"other")], OWN, taken="replace").id == "zoe"
    assert store.revision("zoe") not in (0, before)
    store.remove("zoe")
    assert store.revision("zoe") == store.revision("porcelain") == store.revision("../x") == 0


def test_the_list_starts_with_the_built_in_masks(store):
    store.save("Zed", PICTURES, OWN)
    store.save("Amy", PICTURES, OWN)
    assert [p.id for p in store.list()] == [*(p.id for p in BUILT_INS), "amy", "zed"]
    assert BUILT_INS[0].id == "porcelain"


def test_the_same_pictures_and_name_again_renew_the_record(store):
    first = store.save("Jo", PICTURES, OWN)
    second = store.save("Jo", PICTURES, Consent.now("permission", "Al"))
    assert second.id == first.id
    assert second.consent.who == "Al"
    other = store.save("Jo", [(".png", b"other")], OWN)
    assert (other.id, other.name) == ("jo-2", "Jo 2")
    assert store.save("Jo", [(".png", b"other")], OWN).id == "jo-2"


@pytest.mark.parametrize("name", ["Jo", "jo", "JÖ"])
def test_a_name_that_is_taken_is_refused_and_nothing_changes(store, name):
    store.save("Jo", PICTURES, OWN)
    with pytest.raises(PersonaError, match=r"already a face called .*--replace"):
        store.save(name, [(".png", b"other")], OWN, taken="refuse")
    assert [path.read_bytes() for path in store.get("jo").paths] == [b"one", b"two"]
    assert [p.id for p in store.list()] == [*(p.id for p in BUILT_INS), "jo"]


def test_a_persona_is_replaced_when_that_is_asked_for(store):
    store.save("Jo", PICTURES, OWN)
    new = store.save("Jo", [(".png", b"other")], Consent.now("permission", "Al"), taken="replace")
    assert new.id == "jo"
    assert [path.read_bytes() for path in new.paths] == [b"other"]
    assert sorted(path.name for path in new.folder.iterdir()) == [RECORD_NAME, "photo-1.png"]
    assert [path.name for path in store.folder.iterdir()] == ["jo"]


@pytest.mark.parametrize("taken", ["refuse", "replace"])
def test_a_built_in_masks_name_is_refused_where_it_was_chosen(store, taken):
    with pytest.raises(PersonaError, match="built-in face; take another name"):
        store.save("Porcelain", PICTURES, OWN, taken=taken)


def test_names_of_built_in_masks_are_not_taken_away(store):
    assert store.save("Porcelain", PICTURES, OWN).id == "porcelain-2"


@pytest.mark.parametrize("name", ["", "  ", "...", "\n"])
def test_a_persona_needs_a_name(store, name):
    with pytest.raises(PersonaError, match="needs a name"):
        store.save(name, PICTURES, OWN)
    assert not store.folder.exists()


@given(st.text(max_size=60))
def test_an_identifier_is_always_a_safe_folder_name(name):
    made = slug(name)
    assert made
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not made.startswith("-")


def test_without_a_consent_record_a_persona_cannot_be_used(store):
    persona = store.save("Jo", PICTURES, OWN)
    for consent in (
        ...,
        None,
        {},
        {"ground": "own"},
        {"ground": "stolen", "who": "x", "when": OWN.when},
        {"ground": "own", "who": " ", "when": OWN.when},
        {"ground": "own", "who": "x", "when": "soon"},
    ):
        _edit(store, persona, consent=consent)
        with pytest.raises(PersonaError, match=r"cannot be used: .*(ground|who|when|consent)"):
            store.get(persona.id)
        assert "jo" not in [p.id for p in store.list()]
        assert "jo" in store.problems()


@pytest.mark.parametrize("ground", CONSENT_GROUNDS)
def test_every_ground_is_accepted_with_who_and_when(ground):
    assert Consent.now(ground, "Jo").ground == ground


@pytest.mark.parametrize(
    "files",
    [["../../etc/passwd"], ["/etc/passwd"], ["a/b.png"], ["..\\x.png"], [".hidden"], [""], [3], [],
     "photo-1.png", ["photo-1.png"] * 17, ["missing.png"], ["a\x00.png"]],
)  # fmt: skip
def test_hostile_file_names_are_refused(store, files):
    persona = store.save("Jo", PICTURES, OWN)
    _edit(store, persona, files=files)
    with pytest.raises(PersonaError, match="remove the persona and add it again"):
        store.get(persona.id)


def test_a_link_out_of_the_folder_is_refused(store, tmp_path):
    persona = store.save("Jo", PICTURES, OWN)
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    persona.paths[0].unlink()
    persona.paths[0].symlink_to(secret)
    with pytest.raises(PersonaError, match="missing"):
        store.get(persona.id)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"version": 2}', "{" * 5000, '{"version": 1, "name": 5}', "\xff", " " * 70_000,
     "[" * 100_000],
)  # fmt: skip
def test_a_broken_record_is_a_clear_error(store, text):
    persona = store.save("Jo", PICTURES, OWN)
    (persona.folder / RECORD_NAME).write_bytes(text.encode("latin-1"))
    with pytest.raises(PersonaError, match="remove the persona and add it again"):
        store.get(persona.id)
    assert [p.id for p in store.list()] == [p.id for p in BUILT_INS]


@pytest.mark.parametrize("look", [[], {"a": []}, {"a": None}, 3])
def test_a_look_holds_plain_values_only(store, look):
    persona = store.save("Jo", PICTURES, OWN)
    _edit(store, persona, look=look)
    with pytest.raises(PersonaError, match="look"):
        store.get(persona.id)


@pytest.mark.parametrize("persona_id", ["..", "../x", "a/b", "", "A", "-a", "a" * 65, "a\n", "x.y"])
def test_identifiers_cannot_leave_the_folder(store, persona_id):
    store.save("Jo", PICTURES, OWN)
    with pytest.raises(PersonaError):
        store.get(persona_id)
    with pytest.raises(PersonaError):
        store.remove(persona_id)
    assert store.get("jo")


def test_removing_deletes_the_folder_but_never_a_mask(store):
    persona = store.save("Jo", PICTURES, OWN)
    store.remove(persona.id)
    assert not persona.folder.exists()
    with pytest.raises(PersonaError, match="no persona"):
        store.remove(persona.id)
    with pytest.raises(PersonaError, match="built in"):
        store.remove("porcelain")


def test_a_name_finds_its_persona_unless_several_have_it(store):
    store.save("Jo", PICTURES, OWN)
    assert store.find("JO").id == "jo"
    assert store.find("Porcelain mask").id == "porcelain"
    _edit(store, store.save("Jo", [(".png", b"other")], OWN), name="Jo")
    assert store.find("jo").id == "jo"
    with pytest.raises(PersonaError, match="several"):
        store.find("Jo ")
    with pytest.raises(PersonaError, match="persona list"):
        store.find("nobody")


def test_an_interrupted_save_leaves_nothing_behind(store, monkeypatch):
    store.save("Jo", PICTURES, OWN)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("doppel_models.personas._dump", fail)
    with pytest.raises(PersonaError, match="No space left"):
        store.save("Al", PICTURES, OWN)
    assert [entry.name for entry in store.folder.iterdir()] == ["jo"]


def test_the_data_folder_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv(HOME_ENV, str(tmp_path))
    assert default_folder() == tmp_path / "personas"
    assert PersonaStore().list() == list(BUILT_INS)


def test_a_linked_persona_is_read_but_never_written(store, tmp_path):
    saved = store.save("Zoe", PICTURES, OWN)
    elsewhere = tmp_path / "elsewhere"
    saved.folder.rename(elsewhere)
    saved.folder.symlink_to(elsewhere)
    before = (elsewhere / RECORD_NAME).read_bytes()
    assert store.get("zoe").name == "Zoe"
    assert store.save("Zoe", PICTURES, OWN, ["new"]).id == "zoe-2"
    assert store.save("Zoe", [(".png", b"other")], OWN, taken="replace").id == "zoe"
    assert not saved.folder.is_symlink()
    assert (elsewhere / RECORD_NAME).read_bytes() == before
    assert sorted(path.name for path in elsewhere.iterdir()) == ["persona.json", "photo-1.png", "photo-2.jpg"]


def test_a_record_that_is_a_link_is_replaced_not_written_through(store, tmp_path):
    saved = store.save("Zoe", PICTURES, OWN)
    secret = tmp_path / "secret.json"
    (saved.folder / RECORD_NAME).rename(secret)
    (saved.folder / RECORD_NAME).symlink_to(secret)
    before = secret.read_bytes()
    assert store.save("Zoe", PICTURES, OWN, ["new"]).warnings == ("new",)
    assert secret.read_bytes() == before
    assert not (saved.folder / RECORD_NAME).is_symlink()


def test_text_that_no_file_can_hold_or_that_steers_a_terminal_becomes_blanks(store):
    odd = "Zo\udce9 \ud834\x1b[2J\x07B."
    saved = store.save(odd, PICTURES, Consent.now("own", "J\udcffo"), ["photo\udcff.png is dark"])
    assert saved.name == "Zo [2J B."
    assert saved.consent.who == "J o"
    assert saved.warnings == ("photo .png is dark",)
    assert store.save(odd, PICTURES, OWN) == dataclasses.replace(saved, warnings=(), consent=OWN)
    _edit(
        store,
        saved,
        name="Eile\ud834n\x9b1m",
        warnings=["a\ud834\x00b"],
        consent={**dataclasses.asdict(OWN), "who": "\x1b"},
    )
    assert "who gave it" in store.problems()[saved.id]
    when = "2026-01-31\x1b12:00:00"
    _edit(
        store,
        saved,
        consent={"ground": "own", "who": "Jo\x1b", "when": when},
        look={"x\x1b": "y\ud834", "z": 1},
    )
    read = store.get(saved.id)
    assert read.consent.when == "2026-01-31 12:00:00"
    assert read.look == {"x ": "y ", "z": 1}
    assert (read.name, read.warnings, read.consent.who) == ("Eile n 1m", ("a  b",), "Jo")
    _edit(store, saved, name="\ud834\x1b")
    assert "name" in store.problems()[saved.id]

import io
import shutil

import cv2
import numpy as np
import pytest
from doppel_models import persona_import
from doppel_models.errors import PersonaError
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import Consent, PersonaStore
from doppel_models.photo_file import PhotoFile

from tests.support.faces import room
from tests.support.portrait import FIXTURES, astronaut, paste_head

ASTRONAUT = FIXTURES / "astronaut.png"


@pytest.fixture(scope="module")
def importer() -> PersonaImporter:
    return PersonaImporter()


@pytest.fixture(scope="module")
def portrait(importer):
    """What the portrait's photo gives."""
    return importer.examine([_photo(_portrait())])


def _photo(image, name="me.png") -> PhotoFile:
    return PhotoFile(name, ".png", b"", np.ascontiguousarray(image, np.uint8))


def _portrait(scale=2.0, **crop):
    """The astronaut enlarged, without the suit."""
    picture = astronaut().rgb[0:240, 110:350]
    size = round(240 * scale)
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC)


def test_a_usable_photo_gives_a_whole_face_and_says_what_is_not_ideal(portrait):
    texts = " / ".join(portrait.warnings)
    assert "hair covers the forehead in me.png" in texts
    assert "the mouth in me.png is open or grins" in texts
    assert all("looks better" in text or "use a" in text or "add a" in text for text in portrait.warnings)
    assert portrait.mesh.texture.shape == (512, 512, 3)
    assert portrait.mesh.shape is not None
    assert 0.8 < (portrait.mesh.known > 127).mean() < 0.995


def test_the_fringe_is_not_painted_into_the_texture(portrait):
    texture = portrait.mesh.texture.astype(int)
    forehead, skin = texture[60:100, 150:360].reshape(-1, 3), texture[280:330, 120:170].reshape(-1, 3)
    assert np.abs(np.median(forehead, axis=0) - np.median(skin, axis=0)).max() < 45
    assert forehead.std(axis=0).max() < 20


def test_the_shadow_beside_the_nose_does_not_end_in_a_line_on_the_cheek(portrait):
    texture = portrait.mesh.texture
    gray = np.log(texture[212:250].mean(axis=(0, 2)))
    steps = np.abs(gray[6:] - gray[:-6])
    shaded, lit = steps[258:324], steps[::-1][258:324]
    assert shaded.max() < 1.2 * lit.max()


def test_no_face_is_refused(importer):
    with pytest.raises(PersonaError, match=r"no face is found in me\.png; use a photo"):
        importer.examine([_photo(room(640, 480))])


def test_two_faces_are_refused(importer):
    picture = room(800, 500, seed=3)
    for x in (220, 580):
        paste_head(picture, astronaut(), center=(x, 260), height=200)
    with pytest.raises(PersonaError, match=r"shows 2 faces; cut the picture down"):
        importer.examine([_photo(picture)])


def test_a_small_face_in_the_background_does_not_count(importer):
    picture = room(1000, 700, seed=3)
    paste_head(picture, astronaut(), center=(350, 380), height=420)
    paste_head(picture, astronaut().mirrored(), center=(850, 200), height=80)
    assert importer.examine([_photo(picture)]).mesh.shape is not None


def test_a_face_that_is_too_small_is_refused_with_what_would_do(importer):
    picture = room(500, 400, seed=3)
    paste_head(picture, astronaut(), center=(250, 200), height=58)
    with pytest.raises(PersonaError, match=r"only \d+ pixels wide; use a photo with a face of at least 64"):
        importer.examine([_photo(picture)])


def test_blur_is_told_and_strong_blur_refused(importer):
    def blurred(sigma):
        return _photo(cv2.GaussianBlur(_portrait(), (0, 0), sigma))

    assert any("blurred" in text for text in importer.examine([blurred(1.5)]).warnings)
    with pytest.raises(PersonaError, match="too blurred; use a sharper photo"):
        importer.examine([blurred(10)])


def test_light_from_one_side_is_told(importer):
    portrait = _portrait()
    ramp = np.exp(np.linspace(0.2, -1.0, portrait.shape[1]))[None, :, None]
    assert any("comes from one side" in t for t in importer.examine([_photo(portrait * ramp)]).warnings)


def test_an_overexposed_and_a_dark_photo_are_told(importer):
    portrait = _portrait().astype(float)
    bright = importer.examine([_photo(np.clip(portrait * 1.7 + 40, 0, 255))]).warnings
    assert any("overexposed" in text for text in bright)
    assert any("very dark" in text for text in importer.examine([_photo(portrait * 0.15)]).warnings)


def test_a_face_cut_by_the_edge_is_refused(importer):
    portrait = _portrait()
    points = astronaut().landmarks[:, 0]
    middle = round((float(points.min() + points.max()) / 2 - 110) * 2) - 10
    with pytest.raises(PersonaError, match=r"cut off|no face"):
        importer.examine([_photo(portrait[:, middle:])])


def test_several_photos_make_one_face(importer):
    front, other = _photo(_portrait()), _photo(_portrait()[:, ::-1] * 0.8, "other.png")
    one, both = importer.examine([front]), importer.examine([front, other])
    # What hair hides in one photo is taken from the other.
    assert (both.mesh.known > 127).mean() > (one.mesh.known > 127).mean() - 0.01
    assert both.mesh.shape is not None
    mirrored = both.mesh.shape * np.array([-1, 1, 1])
    assert abs(mirrored[[33, 263], 0].sum()) < abs(one.mesh.shape[[33, 263], 0].sum()) + 0.05


def test_too_many_and_no_photos_are_refused(importer):
    for count in (0, 17):
        with pytest.raises(PersonaError, match="1 to 16 photos"):
            importer.examine([_photo(_portrait())] * count)


def test_an_added_persona_is_kept_and_its_cache_used(importer, tmp_path, monkeypatch):
    store = PersonaStore(tmp_path)
    persona, mesh = importer.add(store, [ASTRONAUT], "", Consent.now("public-domain", "Jo"))
    assert persona.id == "astronaut"
    assert store.get("astronaut").warnings
    assert len(list((persona.folder / "cache").iterdir())) == 1

    monkeypatch.setattr(PersonaImporter, "load", lambda *_: pytest.fail("the cache was not used"))
    cached = PersonaImporter().mesh(persona)
    assert (cached.texture == mesh.texture).all()
    assert (cached.shape == mesh.shape).all()


@pytest.mark.parametrize("damage", ["truncated", "pickle", "shapes", "empty", "missing"])
def test_a_damaged_cache_is_made_anew(importer, tmp_path, damage):
    persona, mesh = importer.add(PersonaStore(tmp_path), [ASTRONAUT], "", Consent.now("public-domain", "Jo"))
    (cache,) = (persona.folder / "cache").iterdir()
    if damage == "truncated":
        cache.write_bytes(cache.read_bytes()[:500])
    elif damage == "pickle":
        np.savez(cache, texture=np.array([object()]), known=mesh.known, shape=mesh.shape)
    elif damage == "shapes":
        np.savez(cache, texture=mesh.texture[:4], known=mesh.known, shape=mesh.shape)
    elif damage == "empty":
        cache.write_bytes(b"")
    else:
        cache.unlink()
    again = importer.mesh(persona)
    assert (again.texture == mesh.texture).all()
    assert (again.shape == mesh.shape).all()


def test_an_older_import_is_made_anew(importer, tmp_path, monkeypatch):
    persona, _ = importer.add(PersonaStore(tmp_path), [ASTRONAUT], "", Consent.now("public-domain", "Jo"))
    (old,) = (persona.folder / "cache").iterdir()
    monkeypatch.setattr(persona_import, "IMPORT_VERSION", 10_000)
    importer.mesh(persona)
    (new,) = (persona.folder / "cache").iterdir()
    assert new.name != old.name


def test_a_refused_photo_leaves_nothing_behind(importer, tmp_path):
    picture = tmp_path / "room.png"
    cv2.imwrite(str(picture), room(640, 480))
    with pytest.raises(PersonaError, match="no face"):
        importer.add(PersonaStore(tmp_path / "personas"), [picture], "", Consent.now("own", "Jo"))
    assert not (tmp_path / "personas").exists()


def _glasses_on(portrait):
    """Dark rims around the eyes of the enlarged portrait, and a bridge between them."""
    picture = portrait.copy()
    points = (astronaut().landmarks[:, :2] - [110, 0] + 0.5) * 2 - 0.5
    rims = []
    for corners, inward in (((33, 133), 1), ((263, 362), -1)):
        outer, inner = points[list(corners)]
        center, length = (outer + inner) / 2 + [0, 4], float(np.linalg.norm(outer - inner))
        axes = (0.9 * length, 0.75 * length)
        cv2.ellipse(picture, np.rint(center).astype(int).tolist(), np.rint(axes).astype(int).tolist(),
                    0, 0, 360, (30, 28, 34), 4, cv2.LINE_AA)  # fmt: skip
        rims.append(np.rint(center + np.array((inward * axes[0], -2))).astype(int).tolist())
    cv2.line(picture, *rims, (30, 28, 34), 4, cv2.LINE_AA)
    return picture


def test_glasses_are_told_and_faces_without_them_not(importer, portrait):
    worn = importer.examine([_photo(_glasses_on(_portrait()))]).warnings
    assert any("shows glasses" in text and "use a photo without them" in text for text in worn)
    bare = portrait.warnings
    assert not any("glasses" in text for text in bare)


@pytest.mark.parametrize(
    "change", [(0.4, 0.4, 0.4), (1.0, 0.8, 0.55), (0.7, 0.85, 1.0)], ids=["dim", "warm", "cold"]
)
def test_the_light_of_a_photo_hides_no_fringe(importer, change):
    texts = importer.examine([_photo(_portrait() * np.array(change))]).warnings
    assert any("hair covers the forehead" in text for text in texts)
    assert not any("comes from one side" in text for text in texts)


def _hostile(kind: str, mesh) -> bytes:
    """A cache that a stranger's persona may bring along."""
    arrays = {"texture": mesh.texture, "known": mesh.known, "shape": mesh.shape}
    buffer = io.BytesIO()
    if kind == "one array":
        np.save(buffer, mesh.texture)
    elif kind == "packed":  # small on the disk, larger than memory when it is unpacked
        np.savez_compressed(buffer, **arrays)
    elif kind == "huge":
        np.savez(buffer, **{**arrays, "texture": np.zeros((512, 512, 12), np.uint8)})
    else:
        np.savez(buffer, **arrays)
    data = bytearray(buffer.getvalue())
    if kind == "way of packing":
        for start in (b"PK\x03\x04", b"PK\x01\x02"):
            at = data.index(start) + (8 if start == b"PK\x03\x04" else 10)
            data[at : at + 2] = (77).to_bytes(2, "little")
    elif kind == "password":
        for start in (b"PK\x03\x04", b"PK\x01\x02"):
            data[data.index(start) + (6 if start == b"PK\x03\x04" else 8)] |= 1
    elif kind == "endless":
        shape = data.index(b"(512, 512, 3)")
        data[shape : shape + 13] = b"(99999999999)".ljust(13)
    elif kind == "header without an end":
        data[data.index(b"{'descr'")] = ord("(")
    elif kind == "cut short":
        del data[data.index(b"PK\x03\x04") + 300 : data.index(b"PK\x03\x04") + 400]
    return bytes(data)


@pytest.mark.parametrize(
    "kind",
    [
        "one array", "packed", "huge", "way of packing", "password", "endless", "header without an end",
        "cut short", "as it should be",
    ],
)  # fmt: skip
def test_a_hostile_cache_is_no_cache(kind, tmp_path):
    shape = np.zeros((persona_import.canonical.VERTEX_COUNT, 3), np.float32)
    mesh = persona_import.MeshPersona(
        np.zeros((512, 512, 3), np.uint8), np.zeros((512, 512), np.uint8), shape
    )
    path = tmp_path / "cache.npz"
    path.write_bytes(_hostile(kind, mesh))
    assert (persona_import._read_cache(path) is not None) == (kind == "as it should be")


@pytest.mark.parametrize("which", ["cache", "persona"])
def test_nothing_is_written_or_tidied_up_where_a_link_leads(importer, tmp_path, which):
    store = PersonaStore(tmp_path / "personas")
    persona, _ = importer.add(store, [ASTRONAUT], "Eileen", Consent.now("public-domain", "Jo"))
    elsewhere = tmp_path / "elsewhere"
    if which == "cache":
        shutil.rmtree(persona.folder / "cache")
        elsewhere.mkdir()
        (persona.folder / "cache").symlink_to(elsewhere)
        inside = elsewhere
    else:
        persona.folder.rename(elsewhere)
        persona.folder.symlink_to(elsewhere)
        inside = elsewhere / "cache"
        (inside / next(inside.iterdir()).name).unlink()
    mine = inside / "my-numbers.npz"
    mine.write_bytes(b"not Doppel's")
    assert importer.mesh(store.get(persona.id)).texture.shape == (512, 512, 3)
    assert [path.name for path in inside.iterdir()] == [mine.name]
    assert mine.read_bytes() == b"not Doppel's"

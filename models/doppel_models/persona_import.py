"""From photos of a face to what the mesh engine wears: check, unwrap, merge; kept in a cache."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import math
import struct
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from doppel_models import (
    canonical,
    face_hair,
    face_texture,
    masks_builtin,
    nose_sides,
    photo_check,
    photo_mend,
    smile_lines,
)
from doppel_models.atomic import write_atomic
from doppel_models.detector import FaceDetector
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.engines.mesh.shape import HeadFrame, resting
from doppel_models.errors import PersonaError
from doppel_models.landmarker import FaceLandmarker
from doppel_models.persona_record import wrong_number
from doppel_models.personas import MAX_PHOTOS, Consent, Persona, PersonaStore, Taken
from doppel_models.photo_file import PhotoFile, photo_bytes, read_photo
from doppel_models.plain_file import is_plain, plain_size
from doppel_models.sentences import sentence
from doppel_models.session import SessionConfig
from doppel_models.types import FloatArray

IMPORT_VERSION = 10
"""Raised whenever the import works differently, so that older caches are made anew."""
_DAMAGE = (
    OSError, ValueError, LookupError, ArithmeticError, EOFError, NotImplementedError, RuntimeError,
    struct.error, zipfile.BadZipFile,
)  # fmt: skip
"""What ``zipfile`` raises for damaged files."""
_MOST_CACHE_BYTES = 2 << 20
"""Twice what :func:`_write_cache` writes; ``zipfile`` reads a list of contents however long it is."""
_Number = TypeVar("_Number", bound=np.generic)


@dataclasses.dataclass(frozen=True, slots=True)
class ImportedFace:
    """What photos of a face became."""

    mesh: MeshPersona
    warnings: tuple[str, ...]
    """What is not ideal about the photos and what to do about it; empty: nothing."""


class PersonaImporter:
    """Makes personas of photos. Loads its two networks when it first needs them."""

    def __init__(self, config: SessionConfig | None = None) -> None:
        """Use these ONNX Runtime settings."""
        self._config = config
        self._networks: tuple[FaceDetector, FaceLandmarker] | None = None

    def load(self) -> tuple[FaceDetector, FaceLandmarker]:
        """The detector and the landmark network, loaded once.

        Raises:
            WeightsError: a bundled file is missing or damaged.
            SessionError: ONNX Runtime cannot build a network.
        """
        if self._networks is None:
            self._networks = (FaceDetector(self._config), FaceLandmarker(self._config))
        return self._networks

    def examine(self, photos: Sequence[PhotoFile]) -> ImportedFace:
        """Check photos of one face and make its texture and proportions of them.

        Raises:
            PersonaError: a photo cannot be used; the message says why and what to do.
        """
        _check_number(len(photos))
        return self._face_of(photos)

    def _face_of(self, photos: Iterable[PhotoFile]) -> ImportedFace:
        """One photo after another: 16 as large as they may be would take 3 GB if all were decoded at once."""
        detector, landmarker = self.load()
        warnings: list[str] = []
        views, shapes, smiles, weights = [], [], [], []
        for photo in photos:
            landmarks = photo_check.only_face(photo, detector, landmarker)
            view = face_texture.unwrap(photo.image, landmarks)
            checked = photo_check.check(photo, landmarks, view)
            warnings += [text for text in checked.warnings if text not in warnings]
            better = photo_mend.mended(photo.image, landmarks)
            views.append(view if better is photo.image else face_texture.unwrap(better, landmarks))
            as_filmed = HeadFrame.of(landmarks).shape_of(landmarks)
            shapes.append(resting(as_filmed))
            smiles.append(smile_lines.smile_of(as_filmed))
            # A face seen from the front shows its proportions best.
            weights.append(float(np.exp(-((checked.yaw / 20) ** 2))) + 0.02)
            del photo, better  # else they would stay until the next one is decoded
        # The picture that shows the face straightest sets the colours.
        order = np.argsort(-np.array(weights))
        shape = np.average(np.array(shapes), axis=0, weights=weights).astype(np.float32)
        smile = float(np.average(smiles, weights=weights))
        return ImportedFace(_assemble([views[k] for k in order], shape, smile), tuple(warnings))

    def add(
        self,
        store: PersonaStore,
        paths: Sequence[Path],
        name: str,
        consent: Consent,
        *,
        replace: bool = False,
    ) -> tuple[Persona, MeshPersona]:
        """Make a persona of photos and keep it.

        Args:
            store: where it is kept.
            paths: 1 to 16 photos of the same face.
            name: for people; empty: the first photo's name, with a number if that is taken.
            consent: why the face may be used.
            replace: a persona of that name gives its place to the new one; else a name that is taken is
                refused.

        Raises:
            PersonaError: a photo cannot be used, the name is taken, or the persona cannot be written.
        """
        _check_number(len(paths))
        pictures: list[tuple[str, bytes]] = []

        def read(path: Path) -> PhotoFile:
            photo = read_photo(Path(path))
            pictures.append((photo.suffix, photo.data))
            return photo

        face = self._face_of(map(read, paths))
        taken: Taken = "replace" if replace else "refuse" if name.strip() else "number"
        name = name.strip() or (Path(paths[0]).stem.replace("_", " ").replace("-", " ").strip() or "persona")
        persona = store.save(name, pictures, consent, face.warnings, taken=taken)
        _write_cache(_cache_path(persona, (data for _, data in pictures)), face.mesh)
        # The record holds texts; who added it reads them in their language.
        return dataclasses.replace(persona, warnings=face.warnings), face.mesh

    def mesh(self, persona: Persona) -> MeshPersona:
        """What the mesh engine wears: from the cache, or made anew from the persona's photos.

        Raises:
            PersonaError: a photo is missing or cannot be used.
        """
        if persona.kind == "mask":
            return masks_builtin.load(persona.id)
        path = _cache_path(persona, map(photo_bytes, persona.paths))
        cached = _read_cache(path)
        if cached is not None:
            return cached
        _check_number(len(persona.paths))
        mesh = self._face_of(map(read_photo, persona.paths)).mesh
        with contextlib.suppress(PersonaError):  # it is worn all the same, and made anew the next time
            _write_cache(path, mesh)
        return mesh


def _check_number(photos: int) -> None:
    if not 1 <= photos <= MAX_PHOTOS:
        raise PersonaError(wrong_number(photos))


def _assemble(views: Sequence[face_texture.Unwrapped], shape: FloatArray, smile: float) -> MeshPersona:
    # In even light the shadow beside the nose stands out.
    views = [face_texture.evened(view) for view in views]
    trusted = [
        dataclasses.replace(view, weight=view.weight * nose_sides.trust(view.texture, view.weight))
        for view in views
    ]
    texture, known = face_texture.merge(trusted)
    texture = face_texture.usual_saturation(texture, known)
    texture, known = nose_sides.fill(texture, known)
    texture = face_texture.even_light(texture, known)
    texture, seen = face_texture.fill(texture, known)
    texture = smile_lines.softened(face_texture.shut_mouth(texture), smile)
    # Skin that was only seen from the side is stretched, but it is the persona's; hair is not, but for brows.
    hair = np.min([view.hair for view in views], axis=0)
    bare = 1 - hair * (1 - seen) * (1 - face_hair.around_brows(hair))
    return MeshPersona(texture.round().astype(np.uint8), face_texture.known_mask(bare), shape)


def _cache_path(persona: Persona, pictures: Iterable[bytes]) -> Path:
    """Where the cache of these photos lies; they are looked at one after another."""
    digest = hashlib.sha256(str(IMPORT_VERSION).encode())
    for data in pictures:
        digest.update(hashlib.sha256(data).digest())
    if persona.folder is None:
        raise PersonaError(f"{persona.id} is built in and has no folder")
    return persona.folder / "cache" / f"{digest.hexdigest()[:32]}.npz"


def _write_cache(path: Path, mesh: MeshPersona) -> None:
    for folder in (path.parent.parent, path.parent):
        if folder.is_symlink():
            raise PersonaError(
                sentence(
                    "persona.link",
                    "{folder} is a link; nothing is written, or tidied up, where it leads",
                    folder=folder,
                )
            )
    buffer = io.BytesIO()
    shape = np.zeros((0, 3), np.float32) if mesh.shape is None else mesh.shape
    np.savez(buffer, texture=mesh.texture, known=mesh.known, shape=shape)
    try:
        path.parent.mkdir(exist_ok=True)
        for old in path.parent.glob("*.npz"):
            old.unlink()
        write_atomic(path, buffer.getvalue())
    except OSError as error:
        raise PersonaError(
            sentence(
                "persona.cache",
                "the persona's cache {path} cannot be written: {why}",
                path=path,
                why=error.strerror or error,
            )
        ) from error


def _read_cache(path: Path) -> MeshPersona | None:
    """The cached persona; None where there is none or it is damaged, so that it is made anew.

    It comes with the persona, so it may be hostile: it must be what :func:`_write_cache` writes, to the byte
    but for the numbers, and a file that is far larger is not opened.
    """
    size, count = face_texture.SIZE, canonical.VERTEX_COUNT
    if not is_plain(path):
        return None
    try:
        if plain_size(path) > _MOST_CACHE_BYTES:
            return None
        with zipfile.ZipFile(path) as archive:
            texture = _plain_array(archive, "texture", np.uint8, (size, size, 3))
            known = _plain_array(archive, "known", np.uint8, (size, size))
            shape = _plain_array(archive, "shape", np.float32, (count, 3))
    except _DAMAGE:
        return None
    return MeshPersona(texture, known, shape) if np.isfinite(shape).all() else None


def _plain_array(
    archive: zipfile.ZipFile, name: str, kind: type[_Number], sides: tuple[int, ...]
) -> npt.NDArray[_Number]:
    """One array of an ``.npz`` file, not compressed; NumPy's reader of headers is for trusted files."""
    head = io.BytesIO()
    about = {"descr": np.lib.format.dtype_to_descr(np.dtype(kind)), "fortran_order": False, "shape": sides}
    np.lib.format.write_array_header_1_0(head, about)
    begin = head.getvalue()
    entry = archive.getinfo(f"{name}.npy")
    size = math.prod(sides) * np.dtype(kind).itemsize
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != len(begin) + size:
        raise ValueError(f"{name} is no array of a persona")
    data = archive.read(entry)
    if len(data) != entry.file_size or not data.startswith(begin):
        raise ValueError(f"{name} is no array of a persona")
    return np.frombuffer(data, kind, offset=len(begin)).reshape(sides).copy()

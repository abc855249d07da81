"""The user's folder of models: ``<data>/models/<sha256>.onnx`` with ``<sha256>.json`` beside each.

A model is in the store when both files are there; the record is written last and removed first, so an
interruption leaves at most a file without a record, which the next :meth:`ModelStore.add` tidies up. Names
of files are made of hashes alone: nothing that a user, a file or a server says becomes a path.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from pathlib import Path

from doppel_models.atomic import write_atomic
from doppel_models.errors import ModelFileError, StoreError
from doppel_models.files.disk import lack_of_room, write_problem
from doppel_models.files.folder import hashes, locked, tidy
from doppel_models.files.kinds import ModelDescription, ModelKind
from doppel_models.files.licences import Acceptance, check_acceptance, licence_of
from doppel_models.files.model import ModelFile, checked_model
from doppel_models.files.record import (
    MAX_NAME,
    MAX_RECORD_BYTES,
    VERSION,
    ModelRecord,
    clean_name,
    decode_record,
    encode_record,
)
from doppel_models.home import data_folder
from doppel_models.plain_file import is_plain
from doppel_models.sentences import sentence, unusable_model

_PREFIX = re.compile(r"[0-9a-f]{6,64}")

_Records = list[ModelRecord]


def models_folder() -> Path:
    """The user's own folder of models; it need not exist."""
    return data_folder() / "models"


class ModelStore:
    """The models of one folder. Any number of processes may use it at once."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use ``folder``, or the user's own; it is made when something is first added."""
        self.folder = models_folder() if folder is None else Path(folder)

    def list(self) -> _Records:
        """All models that are complete, by name. Their files are not read: see :meth:`verify`."""
        found = []
        for sha256 in hashes(self.folder):
            with contextlib.suppress(StoreError):
                found.append(self.get(sha256))
        return sorted(found, key=lambda record: (record.name.casefold(), record.sha256))

    def problems(self) -> dict[str, str]:
        """Models that are not complete, by their hash, and why."""
        found = {}
        for sha256 in hashes(self.folder):
            try:
                self.get(sha256)
            except StoreError as error:
                found[sha256] = str(error)
        return found

    def get(self, sha256: str) -> ModelRecord:
        """The record of a model.

        Raises:
            StoreError: there is none of that hash, or it is not complete.
        """
        path, beside = self.path(sha256), self._record_path(sha256)
        if not is_plain(path) and not is_plain(beside):
            raise StoreError(f"there is no model {sha256[:12]} in {self.folder}")
        if not is_plain(beside):
            raise StoreError("it has no record (adding it was interrupted); add it again")
        try:
            if beside.stat().st_size > MAX_RECORD_BYTES:
                raise StoreError("its record is damaged (too long); add the model again")
            record = decode_record(beside.read_bytes(), sha256)
            if not is_plain(path):
                raise StoreError(
                    sentence(
                        "model.file-missing",
                        "the file of '{name}' is missing; add it again",
                        name=record.name,
                    )
                )
            if path.stat().st_size != record.bytes:
                raise StoreError(
                    sentence(
                        "model.changed",
                        "{name} was changed or damaged since it was added; add it again",
                        name=record.name,
                    )
                )
        except OSError as error:
            raise StoreError(f"{beside} cannot be read: {error.strerror}") from error
        return record

    def find(self, text: str) -> ModelRecord:
        """A model by its name, whatever the case, or by the first 6 or more digits of its hash.

        Raises:
            StoreError: none or several fit.
        """
        records = self.list()
        found = [record for record in records if record.name.casefold() == text.strip().casefold()]
        if not found and _PREFIX.fullmatch(text.lower()):
            found = [record for record in records if record.sha256.startswith(text.lower())]
        if len(found) > 1:
            hashes = ", ".join(record.sha256[:12] for record in found)
            raise StoreError(
                sentence(
                    "model.several",
                    "several models are called '{name}'; name one by its hash: {hashes}",
                    name=text[:80],
                    hashes=hashes,
                )
            )
        if not found:
            raise StoreError(
                sentence(
                    "model.missing",
                    "there is no model '{name}' in {folder}; `doppel models list` shows all",
                    name=text[:80],
                    folder=self.folder,
                )
            )
        return found[0]

    def of_kind(self, kind: ModelKind, variant: str | None = None) -> _Records:
        """The models of a kind (and variant) whose licence was accepted, the one added first at the front."""
        found = []
        for record in self.list():
            if record.kind == kind and variant in (None, record.variant):
                with contextlib.suppress(ModelFileError):
                    check_acceptance(record.licence, record.acceptance)
                    found.append(record)
        return sorted(found, key=lambda record: record.added)

    def missing(self, model: ModelDescription) -> tuple[str, ...]:
        """What a model needs and the store does not have, for people."""
        lacking = []
        for kind in model.needs:
            variant = str(model.kind) if kind == ModelKind.CROSSFACE else None
            if not self.of_kind(kind, variant):
                lacking.append(f"{kind} for {variant}" if variant else f"{kind} (w600k_r50)")
        return tuple(lacking)

    def path(self, sha256: str) -> Path:
        """Where the file of a model lies.

        Raises:
            StoreError: that is no hash.
        """
        return self.folder / f"{_checked_hash(sha256)}.onnx"

    def open(self, record: ModelRecord) -> ModelFile:
        """Read a stored model, ready for an engine.

        Raises:
            StoreError: its file was changed or cannot be read.
            ModelFileError: its licence was not accepted, or it is refused after all.
        """
        try:
            check_acceptance(record.licence, record.acceptance)
        except ModelFileError as error:
            raise ModelFileError(unusable_model(record.name, error)) from None
        from doppel_models.files.onnx_file import read_onnx

        path = self.path(record.sha256)
        if path.is_symlink():
            raise StoreError(f"{path} is a link, not a model; remove it and add the model again")
        file = read_onnx(path, record.name)
        if file.sha256 != record.sha256:
            raise StoreError(
                sentence(
                    "model.changed",
                    "{name} was changed or damaged since it was added; add it again",
                    name=record.name,
                )
            )
        return checked_model(file, record.name, record.choice)

    def add(
        self,
        model: ModelFile,
        acceptance: Acceptance,
        *,
        name: str = "",
        origin: str = "",
        choice: str | None = None,
    ) -> ModelRecord:
        """Store a model; adding it again renews its record.

        Args:
            model: what :func:`.model.open_model` read.
            acceptance: that its licence was accepted.
            name: how it is called; default: the file's name without its ending. A number is added where
                another model has that name.
            origin: where it comes from.
            choice: what the user said it is, where its contents leave a choice.

        Raises:
            StoreError: the folder cannot be written, or the disk is full; nothing is left behind.
            ModelFileError: the licence was not accepted.
        """
        check_acceptance(licence_of(model.description.kind, model.description.variant), acceptance)
        wanted = clean_name(name or Path(model.name).stem)
        with locked(self.folder):
            tidy(self.folder)
            record = ModelRecord(
                version=VERSION,
                sha256=model.sha256,
                bytes=len(model.data),
                name=self._free_name(wanted, model.sha256),
                kind=model.description.kind,
                variant=model.description.variant,
                pixels=model.description.size,
                choice=choice,
                origin=origin[:2048],
                added=datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds"),
                acceptance=acceptance,
            )
            try:
                path = self.path(model.sha256)
                if not self._holds(path, model):
                    if lack := lack_of_room(self.folder, len(model.data)):
                        raise StoreError(lack)
                    write_atomic(path, model.data)
                write_atomic(self._record_path(model.sha256), encode_record(record))
            except OSError as error:
                raise StoreError(write_problem(self.folder, error)) from error
        return record

    def remove(self, sha256: str) -> None:
        """Delete a model, complete or not.

        Raises:
            StoreError: there is none of that hash, or it cannot be deleted.
        """
        beside, path = self._record_path(sha256), self.path(sha256)
        with locked(self.folder):
            present = [p for p in (beside, path) if p.exists() or p.is_symlink()]
            if not present:
                raise StoreError(f"there is no model {sha256[:12]} in {self.folder}")
            try:
                for each in present:
                    each.unlink()
            except OSError as error:
                raise StoreError(f"{each} cannot be removed: {error.strerror}") from error

    def verify(self, record: ModelRecord) -> ModelFile:
        """Read a model, compare its hash, and recognise it again.

        Raises:
            ModelFileError: anything is not as it was when it was added.
        """
        model = self.open(record)
        if (model.description.kind, model.description.variant) != (record.kind, record.variant):
            raise StoreError(f"{record.name} is now taken for {model.description.title}; add it again")
        return model

    def _record_path(self, sha256: str) -> Path:
        return self.folder / f"{_checked_hash(sha256)}.json"

    def _free_name(self, wanted: str, sha256: str) -> str:
        taken = {record.name.casefold() for record in self.list() if record.sha256 != sha256}
        for number in range(1, 1000):
            end = "" if number == 1 else f" {number}"
            name = wanted[: MAX_NAME - len(end)].rstrip() + end
            if name.casefold() not in taken:
                return name
        raise StoreError(
            sentence("model.too-many", "too many models are called '{name}'; take another name", name=wanted)
        )

    def _holds(self, path: Path, model: ModelFile) -> bool:
        """Whether the very file is there already; it may be in use, and Windows does not replace such."""
        return is_plain(path) and path.stat().st_size == len(model.data) and path.read_bytes() == model.data


def _checked_hash(sha256: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise StoreError(f"{sha256[:80]!r} is not the hash of a model")
    return sha256

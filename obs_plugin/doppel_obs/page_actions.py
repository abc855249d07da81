"""What the property page shows of a filter, and what its buttons do. UI thread, but for what waits."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Callable, Mapping, Sequence

from doppel_ipc.diagnostics import BUILT_IN_FACES, Veil, faces_in
from doppel_ipc.log_file import LOG_NAME
from doppel_ipc.message_parts import CONSENT_GROUNDS
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FilterSettings

from doppel_obs import desktop, diagnostics, settings_reader
from doppel_obs.control import Control
from doppel_obs.errors import LookError
from doppel_obs.face_list import FaceList
from doppel_obs.instances import FilterInstance
from doppel_obs.language import Language
from doppel_obs.libobs import Handle
from doppel_obs.looks import LookStore
from doppel_obs.page_callbacks import PageCallbacks
from doppel_obs.persona_requests import MODEL_SUFFIXES, NewPersona
from doppel_obs.phrases import Phrase, phrase
from doppel_obs.properties import (
    ADD_CONFIRMED,
    ADD_GROUND,
    ADD_LICENCE,
    ADD_MORE,
    ADD_NAME,
    ADD_PATH,
    LOOK,
    LOOK_NAME,
    Page,
    PageBuilder,
)
from doppel_obs.registration import Holder

MOST_PHOTOS = 16
_NS_PER_MS = 1e6


class PageActions:
    """The pages of all filters, while the script is loaded.

    Args:
        holder: libobs and the gate.
        control: the control loop.
        config: where things lie.
        language: the user's.
        callbacks: the process's thunks, for new pages.
    """

    def __init__(
        self,
        holder: Holder,
        control: Control,
        config: InstallConfig,
        language: Language,
        callbacks: PageCallbacks,
    ) -> None:
        self._holder = holder
        self._control = control
        self._config = config
        self._language = language
        self._builder = PageBuilder(holder.libobs, callbacks, language)
        self._faces = FaceList(config.project, language)
        self._looks = LookStore(config.persona_dir.parent / "looks")
        self._buttons: dict[str, Callable[[int, FilterInstance], None]] = {
            "refresh": lambda filter_id, _: control.refresh_page(filter_id),
            "add_photo": self._add,
            "look_apply": self._apply_look,
            "look_save": self._save_look,
            "look_remove": self._remove_look,
            "restart_worker": self._restart,
            "open_log": lambda filter_id, _: self._open(filter_id, config.log_dir / LOG_NAME),
            "open_personas": lambda filter_id, _: self._open(filter_id, config.persona_dir),
            "diagnostics": lambda filter_id, _: self._aside(lambda: self._diagnose(filter_id)),
        }

    def page(self, filter_id: int) -> Handle:
        """A new property page; the caller owns it."""
        instance, control = self._control.instance(filter_id), self._control
        say = self._language.say
        settings = self._settings(filter_id)
        page = Page(
            filter_id=filter_id,
            settings=settings,
            status=say(phrase("status.beginning"))
            if instance is None
            else instance.line.text(self._language),
            answers=self._answers(instance),
            personas=self._faces.shown(control.personas, settings.persona),
            choices=control.choices,
            looks=self._looks.names(),
            audio_names=self._holder.libobs.audio_device_names(),
            own_sound=instance is not None and instance.source.has_sound(),
            delay=say(_delay(instance)),
            in_use=say(self._in_use(instance)),
        )
        return self._builder.build(page)

    def clicked(self, button: str, filter_id: int) -> None:
        """A button was pressed."""
        instance, action = self._control.instance(filter_id), self._buttons.get(button)
        if instance is not None and action is not None:
            action(filter_id, instance)

    def preview(self, persona: str) -> str:
        """What the page shows of a persona, as simple HTML."""
        return self._faces.picture(self._control.personas, persona)

    # -- what the page shows

    def _settings(self, filter_id: int) -> FilterSettings:
        """As they are at this moment: the control loop may not have read the last change."""
        settings, _ = settings_reader.parse(self._values(filter_id))
        return settings

    def _values(self, filter_id: int) -> Mapping[str, object]:
        source = self._holder.gate.doppel_gate_get_source(filter_id)
        if source is None:
            return {}
        try:
            return settings_reader.read_json(self._holder.libobs, source)
        finally:
            self._holder.libobs.obs_source_release(source)

    def _answers(self, instance: FilterInstance | None) -> Mapping[str, str]:
        if instance is None:
            return {}
        return {
            group: "\n".join(map(self._language.say, phrases))
            for group, phrases in list(instance.answers.items())  # the control loop adds some
        }

    def _in_use(self, instance: FilterInstance | None) -> Phrase:
        status = self._control.facts().status
        if status is None or not status.device:
            return phrase("page.in_use_unknown")
        lane = instance.lane_status if instance is not None else None
        provider = (lane.provider if lane is not None else "") or status.provider
        return phrase(
            "page.in_use", device=status.device, provider=provider, memory=f"{status.memory_mb:.0f}"
        )

    # -- what its buttons do

    def _add(self, filter_id: int, _instance: FilterInstance) -> None:
        values = self._values(filter_id)
        files = _files(values)
        ground = str(values.get(ADD_GROUND, ""))
        refusal = _refusal(files, ground, confirmed=values.get(ADD_CONFIRMED) is True)
        if refusal is not None:
            self._control.answer(filter_id, "add", refusal)
            return
        licence = values.get(ADD_LICENCE) is True
        wanted = NewPersona(tuple(files), str(values.get(ADD_NAME, "")), ground, licence)
        self._control.add_persona(filter_id, wanted)

    def _apply_look(self, filter_id: int, _instance: FilterInstance) -> None:
        def apply(name: str) -> Phrase:
            self._control.change(filter_id, self._looks.load(name))
            return phrase("look.applied", name=name)

        self._with_look(filter_id, LOOK, phrase("look.choose"), apply)

    def _save_look(self, filter_id: int, _instance: FilterInstance) -> None:
        def save(name: str) -> Phrase:
            kept = self._looks.save(name, self._settings(filter_id))
            self._control.change(filter_id, {LOOK: kept, LOOK_NAME: ""})
            return phrase("look.saved", name=kept)

        self._with_look(filter_id, LOOK_NAME, phrase("look.name-it"), save)

    def _remove_look(self, filter_id: int, _instance: FilterInstance) -> None:
        def remove(name: str) -> Phrase:
            self._looks.remove(name)
            self._control.change(filter_id, {LOOK: ""})
            return phrase("look.removed", name=name)

        self._with_look(filter_id, LOOK, phrase("look.choose"), remove)

    def _with_look(self, filter_id: int, key: str, missing: Phrase, work: Callable[[str], Phrase]) -> None:
        """Does something with the look that the page names under ``key``, and says what came of it."""
        name = str(self._values(filter_id).get(key, "")).strip()
        try:
            said = work(name) if name else missing
        except LookError as error:
            said = phrase("look.failed", why=str(error))
        self._control.answer(filter_id, "looks", said)

    def _restart(self, filter_id: int, _instance: FilterInstance) -> None:
        self._control.restart_worker()
        self._control.answer(filter_id, "help", phrase("help.restarting"))

    def _open(self, filter_id: int, path: Path) -> None:
        def work() -> None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.suffix:
                    path.mkdir(exist_ok=True)
            except OSError:
                pass  # the next line says that it could not be opened, and where it should be
            opened = path.exists() and desktop.open_path(path)
            said = "help.opened" if opened else "help.not-opened"
            self._control.answer(filter_id, "help", phrase(said, path=str(path)))

        self._aside(work)

    def _diagnose(self, filter_id: int) -> None:
        filters = [
            ("\n".join(map(self._language.in_english, one.line.lines())), one.settings)
            for one in self._control.filters()
        ]
        veil = Veil(self._config, Path.home(), self._private_names())
        text = diagnostics.report(
            self._config, self._holder.libobs.version(), self._control.facts(), filters, veil
        )
        path = self._config.log_dir / diagnostics.FILE_NAME
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            self._control.answer(filter_id, "help", phrase("help.not-written", why=str(error)))
            return
        said = "help.copied" if desktop.copy_text(text) else "help.not-copied"
        self._control.answer(filter_id, "help", phrase(said, path=str(path)))

    def _private_names(self) -> Sequence[str]:
        """Of sources, microphones, filters, models and faces; other faces' and looks' lie in files.

        A face that was removed is worn, and called by its name, until another is chosen.
        """
        filters = self._control.filters()
        shown = [one.stats for one in filters if one.stats is not None]
        models = [model.name for model in self._control.choices.models]
        sounds = [one.settings.sound_source for one in filters]
        faces = [face for one in filters for face in faces_in(one.settings)]
        listed = [one for one in self._control.personas if one.id not in BUILT_IN_FACES]
        faces += [name for one in listed for name in (one.id, one.name)]
        return [*(name for one in shown for name in tuple(one.names)), *models, *sounds, *faces]

    def _aside(self, work: Callable[[], None]) -> None:
        """Beside the UI thread: other programs may take their time."""
        guarded = self._holder.guarded(None, work)
        threading.Thread(target=guarded, name="doppel-page", daemon=True).start()


def _files(values: Mapping[str, object]) -> Sequence[str]:
    """The chosen file, and the further photos; OBS keeps a list of files as objects with a "value"."""
    more = values.get(ADD_MORE)
    others = (
        [str(one.get("value", "")) for one in more if isinstance(one, dict)] if isinstance(more, list) else []
    )
    return [path for path in (str(values.get(ADD_PATH, "")), *others) if path][:MOST_PHOTOS]


def _refusal(files: Sequence[str], ground: str, *, confirmed: bool) -> Phrase | None:
    if not files:
        return phrase("photo.choose")
    for path in files:
        if not Path(path).is_file():
            return phrase("photo.no-file", path=path)
    if len(files) > 1 and Path(files[0]).suffix.lower() in MODEL_SUFFIXES:
        return phrase("photo.one-model")
    if ground not in CONSENT_GROUNDS:
        return phrase("photo.whose")
    if not confirmed:
        return phrase("photo.confirm")
    return None


def _delay(instance: FilterInstance | None) -> Phrase:
    if instance is None or not instance.swapping() or not instance.status.frame_interval_ns:
        return phrase("page.delay_unknown")
    frames = instance.status.delay_frames
    ms = f"{frames * instance.status.frame_interval_ns / _NS_PER_MS:.0f}"
    return phrase(
        "page.delay",
        delay=phrase("status.delay-one" if frames == 1 else "status.delay", frames=frames, ms=ms),
    )

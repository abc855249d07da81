import os
from pathlib import Path

import pytest
from doppel_models.errors import PersonaError
from doppel_models.personas import RECORD_NAME, Consent, PersonaStore

OWN = Consent.now("own", "Jo")
PICTURES = [(".png", b"one")]


@pytest.mark.timeout(20)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_record_that_is_a_pipe_is_not_waited_for_when_a_face_of_that_name_is_added(tmp_path):
    store = PersonaStore(tmp_path)
    (store.folder / "zoe").mkdir(parents=True)
    os.mkfifo(store.folder / "zoe" / RECORD_NAME)
    assert store.save("Zoe", PICTURES, OWN).id == "zoe-2"


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="no such files of the kernel's here")
def test_a_record_that_says_it_is_empty_is_not_read_to_its_end(tmp_path):
    store = PersonaStore(tmp_path)
    folder = store.save("Zoe", PICTURES, OWN).folder
    (folder / RECORD_NAME).unlink()
    (folder / RECORD_NAME).symlink_to("/proc/self/smaps")  # the kernel's other files have no end at all
    assert (folder / RECORD_NAME).stat().st_size == 0
    with pytest.raises(PersonaError, match="larger than"):
        store.get("zoe")

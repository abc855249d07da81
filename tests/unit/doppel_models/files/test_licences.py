import datetime

import pytest
from doppel_models.errors import ModelFileError
from doppel_models.files.kinds import USED, ModelKind
from doppel_models.files.licences import Acceptance, accept, check_acceptance, licence_of


@pytest.mark.parametrize(
    ("kind", "variant", "use", "words"),
    [
        (ModelKind.INSWAPPER, "128", "non-commercial", "non-commercial"),
        (ModelKind.SIMSWAP, "256", "non-commercial", "non-commercial"),
        (ModelKind.BLENDSWAP, "256", "non-commercial", "non-commercial"),
        (ModelKind.HYPERSWAP, "256", "limited", "ResearchRAIL"),
        (ModelKind.GHOST, "256", "any", "Apache-2.0"),
        (ModelKind.UNIFACE, "256", "unknown", "unknown"),
        (ModelKind.HIFIFACE, "256", "unknown", "unknown"),
        (ModelKind.ENHANCER, "codeformer", "non-commercial", "S-Lab"),
        (ModelKind.ENHANCER, "gpen 256", "non-commercial", "GPEN"),
        (ModelKind.ENHANCER, "gfpgan, gpen or restoreformer", "unknown", "unknown"),
        (ModelKind.DFM, "", "unknown", "whoever trained it"),
    ],
)
def test_what_is_known_of_each_family(kind, variant, use, words):
    licence = licence_of(kind, variant)
    assert licence.use == use
    assert words in licence.name
    assert licence.needs_ground == (use == "unknown")


@pytest.mark.parametrize("kind", sorted(USED))
def test_every_kind_that_is_used_has_terms(kind):
    assert len(licence_of(kind, "").terms) > 20


def test_an_acceptance_says_who_and_when():
    licence = licence_of(ModelKind.GHOST, "256")
    acceptance = accept(licence, "  Jo \n Doe ")
    assert acceptance.who == "Jo Doe"
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(acceptance.when)
    assert abs(age.total_seconds()) < 60
    check_acceptance(licence, acceptance)


def test_nobody_cannot_accept():
    with pytest.raises(ModelFileError, match="who accepts"):
        accept(licence_of(ModelKind.GHOST, ""), " ")


def test_an_unknown_licence_needs_a_ground():
    licence = licence_of(ModelKind.DFM, "")
    with pytest.raises(ModelFileError, match="on what ground"):
        accept(licence, "Jo")
    check_acceptance(licence, accept(licence, "Jo", "I trained it"))


@pytest.mark.parametrize(
    "acceptance",
    [
        None,
        Acceptance("other", "Jo", "2026-01-01"),
        Acceptance("dfm-trainer", "", "2026-01-01", "mine"),
        Acceptance("dfm-trainer", "Jo", "2026-01-01", ""),
    ],
)
def test_without_a_whole_acceptance_a_model_is_refused(acceptance):
    with pytest.raises(ModelFileError):
        check_acceptance(licence_of(ModelKind.DFM, ""), acceptance)

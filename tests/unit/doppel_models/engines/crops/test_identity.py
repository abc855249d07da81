"""Identities of personas: several photos, and what cannot be one."""

from __future__ import annotations

import numpy as np
import pytest
from doppel_models.engines.crops.description import IdentityForm
from doppel_models.engines.crops.identity import Identity, checked_vector, mean_vector, normed
from doppel_models.errors import EngineError
from hypothesis import given
from hypothesis import strategies as st

RNG = np.random.default_rng(3)
EMAP = RNG.normal(size=(512, 512)).astype(np.float32)


def vector(length: float = 20.0) -> np.ndarray:
    return normed(RNG.normal(size=512).astype(np.float32)) * np.float32(length)


def test_several_photos_are_one_identity_whatever_their_vectors_lengths() -> None:
    one, two = vector(10), vector(30)
    mean = mean_vector([one, two])
    assert np.linalg.norm(mean) == pytest.approx(20, rel=1e-4)
    # Both photos count the same.
    assert float(normed(mean) @ normed(one)) == pytest.approx(float(normed(mean) @ normed(two)), abs=1e-4)
    np.testing.assert_allclose(mean_vector([one]), one, rtol=1e-5)


@given(weight=st.floats(0, 1))
def test_the_identity_weight_moves_the_persona_away_from_the_filmed_person(weight: float) -> None:
    persona, filmed = vector(), vector()
    identity = Identity(persona, IdentityForm.ARCFACE)
    latent = identity.latent(weight, filmed)[0]
    assert np.linalg.norm(latent) == pytest.approx(1, abs=1e-4)
    # The more weight, the less of the filmed person.
    less = identity.latent(max(0.0, weight - 0.1), filmed)[0]
    assert float(latent @ normed(filmed)) <= float(less @ normed(filmed)) + 1e-4
    np.testing.assert_array_equal(identity.latent(0.5, filmed), identity.plain)
    np.testing.assert_array_equal(identity.latent(weight, None), identity.plain)


def test_inswappers_map_is_applied_to_the_normed_vector_and_its_result_is_normed() -> None:
    persona = vector()
    mapped = (persona / np.linalg.norm(persona)) @ EMAP
    identity = Identity(persona, IdentityForm.EMAP, emap=EMAP)
    np.testing.assert_allclose(identity.plain[0], mapped / np.linalg.norm(mapped), rtol=2e-4, atol=1e-6)
    assert identity.plain.shape == (1, 512)


def test_what_a_form_needs_must_be_there() -> None:
    with pytest.raises(EngineError, match="matrix"):
        Identity(vector(), IdentityForm.EMAP)
    with pytest.raises(EngineError, match="crossface"):
        Identity(vector(), IdentityForm.CROSSFACE)


@pytest.mark.parametrize("output", [np.zeros((1, 511)), np.full((1, 512), np.nan), np.full((1, 512), np.inf)])
def test_what_is_no_identity_is_refused(output: np.ndarray) -> None:
    with pytest.raises(EngineError, match="no identity"):
        checked_vector(output, "a model")

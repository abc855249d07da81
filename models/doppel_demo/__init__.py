"""Makes Doppel's demo clip: one still portrait turned into a talking head. Not part of the wheel.

The public-domain astronaut portrait (NASA) and its 478 landmarks become a textured surface with depth
(:mod:`~doppel_demo.head`) that a fixed score of movements (:mod:`~doppel_demo.motion`) makes turn, nod, blink
and speak; :mod:`~doppel_demo.render` draws it, :mod:`~doppel_demo.voice` makes a speech-like sound in step
with the mouth. Because the movement is known, so are the landmarks of every frame: they are a test fixture.

Run ``python -m doppel_demo``; the result does not depend on the machine beyond the video encoder's version.
"""

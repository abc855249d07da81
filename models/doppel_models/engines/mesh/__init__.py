"""The built-in engine: the persona's texture on the live face's mesh. Needs nothing but the bundled networks."""

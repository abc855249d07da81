"""The built-in engine: the persona's texture on the live face's mesh."""

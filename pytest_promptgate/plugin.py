"""The pytest11 entry point: options and ini values only; the rest is registered when evals are asked for."""

"""A deterministic OpenAI-compatible server on the loopback interface, for tests and benchmarks."""

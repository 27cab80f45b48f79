"""The checker, judged against a real LiteLLM proxy: `make live`."""

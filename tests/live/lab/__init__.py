"""A real LiteLLM proxy with a real PostgreSQL and Redis and a made-up provider, on 127.0.0.1 alone."""

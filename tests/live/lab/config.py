"""LiteLLM's configuration: models that fail as their names say. A call to `lab-model` costs 0.02."""

import json
from typing import Any, Literal

Variant = Literal["main", "global", "no-database", "no-redis"]
MASTER_KEY = "sk-lab-master-0000"
PRICE = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}
UPSTREAM = ("400", "400-context", "400-content", "401", "403", "404", "429", "429-quota", "500", "502", "503")
MOCKED = ("RateLimitError", "ContextWindowExceededError", "InternalServerError")
NOBODY = "http://127.0.0.1:9/v1"  # nothing listens on the port of `discard`


def models(upstream: str) -> list[dict[str, Any]]:
    """Every model, called from the made-up provider at `upstream`."""

    def model(name: str, does: str = "ok", provider: str = "openai", **parameters: Any) -> dict[str, Any]:
        called = {"model": f"{provider}/{does}", "api_base": upstream, "api_key": "lab-upstream-0000"}
        return {"model_name": name, "litellm_params": called | parameters, "model_info": PRICE}

    return [
        model("lab-model"),
        model("lab-other"),
        *(model(f"upstream-{name}", f"http-{name}") for name in UPSTREAM),
        model("upstream-slow", "slow", timeout=2),
        model("upstream-slow-60", "slow", timeout=60),
        model("upstream-drop", "drop"),
        model("upstream-garbage", "garbage"),
        model("upstream-down", api_base=NOBODY),
        model("lab-rpm-1", rpm=1),
        model("lab-deployment-budget", max_budget=0.001, budget_duration="1d"),
        model("lab-provider-budget", provider="hosted_vllm"),
        *(model(f"mock-{name}", mock_response=f"litellm.{name}") for name in MOCKED),
    ]


def config(variant: Variant, upstream: str, redis_port: int) -> str:
    """The configuration as JSON, which is YAML too."""
    settings: dict[str, Any] = {"num_retries": 0, "drop_params": True, "telemetry": False}
    router: dict[str, Any] = {
        "num_retries": 0,
        "disable_cooldowns": True,
        "optional_pre_call_checks": ["enforce_model_rate_limits"],
        "provider_budget_config": {"hosted_vllm": {"budget_limit": 0.001, "time_period": "1d"}},
    }
    if variant != "no-redis":
        redis = {"host": "127.0.0.1", "port": redis_port}
        settings |= {"cache": True, "cache_params": {"type": "redis", "supported_call_types": [], **redis}}
        router |= {f"redis_{name}": value for name, value in redis.items()}
    if variant == "global":
        settings |= {"max_budget": 0.001, "budget_duration": "30d"}
    general = {
        "master_key": MASTER_KEY,
        "proxy_batch_write_at": 1,  # seconds until spend is recorded; LiteLLM adds up to five at random
        "store_model_in_db": False,
        "disable_error_logs": False,
        "proxy_budget_rescheduler_min_time": 3600,
        "proxy_budget_rescheduler_max_time": 3700,
    }
    everything = {
        "model_list": models(upstream),
        "litellm_settings": settings,
        "router_settings": router,
        "general_settings": general,
    }
    return json.dumps(everything, indent=1)

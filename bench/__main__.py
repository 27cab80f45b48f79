"""Runs the benchmarks: all of them, or those that are named: `python -m bench matching checks`."""

import sys
from importlib import import_module

from bench.measure import machine

NAMES = ("matching", "rules", "likeness", "search", "pages", "checks", "evidence")


def main(names: list[str]) -> int:
    """Exit status 1 says that a goal was missed; 2, that there is no benchmark of that name."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"There is no benchmark {unknown[0]}: use {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    print(machine())
    met = [run(name) for name in names or NAMES]
    return 0 if all(met) else 1


def run(name: str) -> bool:
    """One benchmark under its title, from the first line of its docstring."""
    module = import_module(f"bench.{name}")
    print(f"\n{module.__doc__}\n", flush=True)
    met: bool = module.main()
    return met


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

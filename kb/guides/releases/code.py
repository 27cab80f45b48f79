"""The code of a release, parsed and never run: its modules, with what names in them stand for."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

LONGEST_HELPER = 80  # lines of a function that is read for what it returns
EXCEPTIONS = {"Exception", "BaseException", "HTTPException"}
NOT_ERRORS = ("Response", "Handler", "Mapper", "Info", "Details", "Types", "Type", "Category", "Metadata")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Class:
    """A class: its bases, the values given in its body, and whether it is an error."""

    name: str
    bases: list[str]
    values: dict[str, ast.expr] = field(default_factory=dict)


@dataclass(slots=True)
class Module:
    """One file: what its names stand for."""

    path: str
    name: str
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)  # local name -> (module, name there)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)  # by qualified name; only telling ones


class Code:
    """All files of a release."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Reads `files`, path -> source; what is no Python of today is passed over."""
        self.files = files
        self.modules: dict[str, Module] = {}
        for path in sorted(files):
            tree = parsed(files[path])
            if tree is not None:
                module = read(path, tree)
                self.modules[module.name] = module

    def trees(self) -> Iterator[tuple[Module, ast.Module]]:
        """Each module with its tree, parsed once more: all trees at once would take gigabytes."""
        for module in self.modules.values():
            tree = parsed(self.files[module.path])
            if tree is not None:
                yield module, tree

    @cached_property
    def errors(self) -> set[str]:
        """Names of the classes that are exceptions, by what they inherit."""
        bases: dict[str, set[str]] = {}
        for module in self.modules.values():
            for one in module.classes.values():
                bases.setdefault(one.name, set()).update(one.bases)
        found: set[str] = set(EXCEPTIONS)
        while True:
            more = {
                name
                for name, own in bases.items()
                if name not in found and any(base in found or is_error_name(base) for base in own)
            }
            if not more:
                return found
            found |= more

    def constant(self, module: Module, name: str, depth: int = 4) -> tuple[Module, ast.expr] | None:
        """What a name stands for at the top of a module, followed through imports."""
        if name in module.constants:
            return module, module.constants[name]
        target, there = module.imports.get(name, ("", ""))
        other = self.modules.get(target)
        return self.constant(other, there, depth - 1) if other and there and depth else None

    def member(self, module: Module, owner: str, name: str) -> tuple[Module, ast.expr] | None:
        """What `owner.name` stands for: a class's value, such as an enum's member, or a module's constant."""
        found = self.class_of(module, owner)
        if found and name in found[1].values:
            return found[0], found[1].values[name]
        target, there = module.imports.get(owner, ("", ""))
        other = self.modules.get(f"{target}.{there}" if there else target)
        return self.constant(other, name) if other else None

    def class_of(self, module: Module, name: str, depth: int = 4) -> tuple[Module, Class] | None:
        """A class by the name that a module has for it."""
        if name in module.classes:
            return module, module.classes[name]
        target, there = module.imports.get(name, ("", ""))
        other = self.modules.get(target)
        return self.class_of(other, there, depth - 1) if other and there and depth else None

    def function(self, module: Module, name: str, depth: int = 4) -> tuple[Module, Function] | None:
        """A telling function by the name that a module has for it."""
        if name in module.functions:
            return module, module.functions[name]
        target, there = module.imports.get(name, ("", ""))
        other = self.modules.get(target)
        return self.function(other, there, depth - 1) if other and there and depth else None


def is_error_name(name: str) -> bool:
    """Whether a class of this name is an error, as Python names them."""
    return name.endswith(("Error", "Exception")) and name[:1].isupper()


def parsed(source: bytes) -> ast.Module | None:
    """The tree of a file; None for what can't be read."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def read(path: str, tree: ast.Module) -> Module:
    """A module's names."""
    name = path.removesuffix(".py").replace("/", ".")
    package = name.removesuffix(".__init__") if name.endswith(".__init__") else name.rpartition(".")[0]
    module = Module(path, name.removesuffix(".__init__"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            module.imports.update({alias.asname or alias.name: (target, alias.name) for alias in node.names})
        elif isinstance(node, ast.Import):
            module.imports.update({alias.asname: (alias.name, "") for alias in node.names if alias.asname})
    read_block(module, tree.body, "")
    return module


def read_block(module: Module, block: list[ast.stmt], prefix: str) -> None:
    """The constants, classes and functions of a module's or a class's body, those in `if` and `try` too."""
    for node in block:
        if isinstance(node, ast.Assign | ast.AnnAssign) and not prefix:
            module.constants.update(assigned(node))
        elif isinstance(node, ast.ClassDef):
            one = Class(node.name, [last_name(base) for base in node.bases])
            for inner in node.body:
                one.values.update(assigned(inner) if isinstance(inner, ast.Assign | ast.AnnAssign) else {})
            module.classes[node.name] = one
            read_block(module, node.body, f"{prefix}{node.name}.")
        elif isinstance(node, Function):
            if telling(node):
                module.functions[f"{prefix}{node.name}"] = node
        elif isinstance(node, ast.If | ast.Try):
            read_block(module, [*node.body, *node.orelse], prefix)


def assigned(node: ast.Assign | ast.AnnAssign) -> dict[str, ast.expr]:
    """Name -> value of a plain assignment."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {t.id: node.value for t in targets if isinstance(t, ast.Name) and node.value is not None}


def telling(node: Function) -> bool:
    """Whether a function is short and returns what may be words, or an error made of them."""
    if (node.end_lineno or node.lineno) - node.lineno > LONGEST_HELPER:
        return False
    return any(
        isinstance(inner, ast.Return)
        and isinstance(
            inner.value, ast.Constant | ast.JoinedStr | ast.BinOp | ast.IfExp | ast.Call | ast.Name
        )
        for inner in ast.walk(node)
    )


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name: BadRequestError of litellm.exceptions.BadRequestError."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return last_name(node.value)
    return node.id if isinstance(node, ast.Name) else ""

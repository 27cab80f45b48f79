"""The words that an expression can come to: constants followed, f-strings and the like with {holes}.

Nothing is run. What can't be known from the code is a {hole}, named after the expression in it; where the
code chooses between texts, each is given.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from kb.guides.releases.code import Code, Function, Module, last_name

MOST = 6  # texts that one expression is followed to
DEPTH = 6
LONGEST = 1_200  # characters of a text; more is cut with a hole
HOLE = re.compile(r"\{[A-Za-z_][\w .]*\}")
PERCENT = re.compile(r"%(?:\((\w+)\))?[-#0 +]*\d*(?:\.\d+)?([sdrfgixeXc%])")
FORMAT = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
SAME_TEXT = {"str", "repr", "dedent", "cleandoc", "dumps", "safe_dumps", "colored", "style", "escape"}
METHODS = {"strip", "rstrip", "lstrip", "encode", "decode", "replace"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands: its module, class and function, and what was passed in."""

    code: Code
    module: Module
    owner: str = ""
    function: Function | None = None
    locals: "Locals | None" = None
    line: int = 0
    passed: Mapping[str, list[str]] = field(default_factory=dict)


class Locals:
    """Which values a function's names were given last before a line."""

    def __init__(self, function: Function) -> None:
        self.places: dict[ast.stmt, tuple[list[ast.stmt], int, ast.stmt | None]] = {}
        self.lines: list[tuple[int, int, ast.stmt]] = []
        self._walk(function.body, None)

    def _walk(self, block: list[ast.stmt], parent: ast.stmt | None) -> None:
        for index, node in enumerate(block):
            self.places[node] = (block, index, parent)
            self.lines.append((node.lineno, node.end_lineno or node.lineno, node))
            if isinstance(node, Function | ast.ClassDef):
                continue
            for inner in blocks(node):
                self._walk(inner, node)

    def before(self, name: str, line: int) -> list[tuple[ast.expr, bool, int]]:
        """(value, added to what was there before, line) that a name may have at a line, the last first."""
        inside = [node for start, end, node in self.lines if start <= line <= end]
        node = max(inside, key=lambda one: (one.lineno, -(one.end_lineno or 0))) if inside else None
        found: list[tuple[ast.expr, bool, int]] = []
        while node is not None:
            block, index, parent = self.places[node]
            for earlier in reversed(block[:index]):
                values, ends = given(earlier, name)
                found += values
                if ends:
                    return found
            node = parent
        return found


def blocks(node: ast.stmt) -> Iterable[list[ast.stmt]]:
    """The blocks of statements in a compound statement."""
    for name in ("body", "orelse", "finalbody"):
        yield getattr(node, name, None) or []
    for handler in getattr(node, "handlers", []) or getattr(node, "cases", []):
        yield handler.body


def given(node: ast.stmt, name: str) -> tuple[list[tuple[ast.expr, bool, int]], bool]:
    """The values that a statement gives a name, and whether nothing before it counts any more."""
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return [(node.value, False, node.lineno)], True
        if any(isinstance(t, ast.Tuple) and name in map(last_name, t.elts) for t in targets):
            return [], True
        return [], False
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and last_name(node.target) == name:
        return [(node.value, True, node.lineno)], False
    if isinstance(node, Function | ast.ClassDef):
        return [], False
    found, ends = [], []
    for inner in blocks(node):
        for one in reversed(inner):
            values, end = given(one, name)
            found += values
            if end:
                ends.append(True)
                break
    whole = isinstance(node, ast.If) and len(ends) == 2
    return found, whole or (isinstance(node, ast.With | ast.AsyncWith) and bool(ends))


def texts(node: ast.expr | None, scope: Scope, depth: int = DEPTH) -> list[str]:
    """What an expression can come to; a single hole where nothing of it is known."""
    if node is None:
        return []
    if depth <= 0:
        return [hole(node)]
    found = known(node, scope, depth - 1)
    return [text[:LONGEST] for text in dict.fromkeys(found)][:MOST] or [hole(node)]


def known(node: ast.expr, scope: Scope, depth: int) -> list[str]:
    """The texts of an expression that can be read; empty for one that can't."""
    if isinstance(node, ast.Constant):
        return constant(node.value)
    if isinstance(node, ast.JoinedStr):
        return joined([texts(part, scope, depth) for part in node.values])
    if isinstance(node, ast.FormattedValue):
        return texts(node.value, scope, depth)
    if isinstance(node, ast.BinOp):
        return operation(node, scope, depth)
    if isinstance(node, ast.IfExp):
        return texts(node.body, scope, depth) + texts(node.orelse, scope, depth)
    if isinstance(node, ast.BoolOp):
        return [text for value in node.values for text in texts(value, scope, depth) if text]
    if isinstance(node, ast.Dict):
        return mapping(node, scope, depth)
    if isinstance(node, ast.Name):
        return named(node, scope, depth)
    if isinstance(node, ast.Attribute):
        return attribute(node, scope, depth)
    if isinstance(node, ast.Call):
        return called(node, scope, depth)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return sequence(node, scope, depth)
    if isinstance(node, ast.Await | ast.NamedExpr):
        return texts(node.value, scope, depth)
    return []


def constant(value: object) -> list[str]:
    """A constant as it is printed; None is no text."""
    if isinstance(value, bytes):
        return [value.decode("utf-8", "replace")]
    return [] if value is None or value is Ellipsis else [str(value)]


def joined(parts: list[list[str]]) -> list[str]:
    """All ways to put parts one after the other, but not too many."""
    total = 1
    for index, part in enumerate(parts):
        total *= max(len(part), 1)
        if total > MOST:
            parts = [*parts[:index], *([one[0]] if one else [""] for one in parts[index:])]
            break
    return ["".join(row) for row in product(*(part or [""] for part in parts))]


def operation(node: ast.BinOp, scope: Scope, depth: int) -> list[str]:
    """Texts added up, or filled in with %."""
    if isinstance(node.op, ast.Add):
        return joined([texts(node.left, scope, depth), texts(node.right, scope, depth)])
    if isinstance(node.op, ast.Mod):
        values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        return [percent(text, values) for text in texts(node.left, scope, depth)]
    return []


def percent(text: str, values: list[ast.expr]) -> str:
    """A text with its %s filled by holes."""
    rest = iter(values)

    def fill(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        value = None if found[1] else next(rest, None)
        return hole(value) if value is not None else f"{{{found[1] or 'value'}}}"

    return PERCENT.sub(fill, text)


def sequence(node: ast.List | ast.Tuple | ast.Set, scope: Scope, depth: int) -> list[str]:
    """A list as Python prints it, where all of it is known to be texts."""
    if not node.elts or len(node.elts) > 12:
        return []
    parts = [texts(part, scope, depth)[0] for part in node.elts]
    if all(HOLE.fullmatch(part) for part in parts):
        return []
    return ["[" + ", ".join(part if HOLE.fullmatch(part) else f"'{part}'" for part in parts) + "]"]


def mapping(node: ast.Dict, scope: Scope, depth: int) -> list[str]:
    """A dict as Python prints it, of at most eight keys."""
    parts: list[list[str]] = [["{"]]
    for key, value in list(zip(node.keys, node.values, strict=True))[:8]:
        if key is None:
            continue
        name = texts(key, scope, depth)[0]
        found = texts(value, scope, depth)
        bare = isinstance(value, ast.Dict | ast.List) or isinstance(getattr(value, "value", ""), int | None)
        shown = [text if bare or HOLE.fullmatch(text) else f"'{text}'" for text in found]
        parts += [[", " if len(parts) > 1 else ""], [f"'{name}': "], shown]
    return [f"{text}}}" for text in joined(parts)] if len(parts) > 1 else []


def named(node: ast.Name, scope: Scope, depth: int) -> list[str]:
    """A name: what was passed in, a local variable, a parameter's default, or the module's constant."""
    if node.id in scope.passed:
        return scope.passed[node.id]
    if scope.locals is not None:
        values = scope.locals.before(node.id, scope.line)
        if values:
            return local(values, scope, depth)
    if scope.function is not None and node.id in defaults(scope.function):
        return []
    found = scope.code.constant(scope.module, node.id)
    return texts(found[1], Scope(scope.code, found[0]), depth) if found else []


def local(values: list[tuple[ast.expr, bool, int]], scope: Scope, depth: int) -> list[str]:
    """The texts of a local variable, with what was added to it later."""
    bases = [(value, line) for value, added, line in values if not added][:MOST]
    more = [(value, line) for value, added, line in reversed(values) if added][:2]
    found: list[str] = []
    for value, line in bases:
        found += texts(value, replace(scope, line=line), depth)
    for value, line in more:
        tails = texts(value, replace(scope, line=line), depth)
        found += [head + tail for head in found[:2] for tail in tails[:2]]
    return found


def defaults(function: Function) -> set[str]:
    """The parameters of a function: what a caller passes is not known here."""
    own = function.args
    rows = [*own.posonlyargs, *own.args, *own.kwonlyargs, own.vararg, own.kwarg]
    return {row.arg for row in rows if row is not None}


def attribute(node: ast.Attribute, scope: Scope, depth: int) -> list[str]:
    """`Class.member`, `Class.member.value`, `module.CONSTANT`."""
    inner: ast.expr = node
    if isinstance(inner, ast.Attribute) and inner.attr in ("value", "name"):
        inner = inner.value
    if not isinstance(inner, ast.Attribute):
        return []
    owner = last_name(inner.value)
    if owner in ("self", "cls"):
        owner = scope.owner
    found = scope.code.member(scope.module, owner, inner.attr) if owner else None
    return texts(found[1], Scope(scope.code, found[0], owner), depth) if found else []


def called(node: ast.Call, scope: Scope, depth: int) -> list[str]:
    """A call that gives back a text: .format, join, str and the like, or a helper of this release."""
    name = last_name(node.func)
    target = node.func.value if isinstance(node.func, ast.Attribute) else None
    if name == "format" and target is not None:
        return [formatted(text, node) for text in texts(target, scope, depth)]
    if name == "join" and isinstance(target, ast.Constant) and len(node.args) == 1:
        rows = node.args[0]
        if isinstance(rows, ast.List | ast.Tuple):
            between = str(target.value)
            return joined(
                [texts(row, scope, depth) for part in rows.elts for row in (ast.Constant(between), part)][1:]
            )
        return []
    if name in METHODS and target is not None:
        return texts(target, scope, depth)
    if name in SAME_TEXT and node.args:
        return texts(node.args[0], scope, depth)
    if name == "cast" and len(node.args) == 2:
        return texts(node.args[1], scope, depth)
    helper = helper_of(node, scope)
    return [
        text
        for value, inside in returned(node, helper, scope, depth)
        for text in texts(value, inside, depth - 1)
    ]


def formatted(text: str, node: ast.Call) -> str:
    """A text with what .format fills in as holes."""
    rest = iter(node.args)
    keys = {word.arg: word.value for word in node.keywords if word.arg}

    def fill(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        name = re.split(r"[!:.\[]", found[1])[0]
        value = keys.get(name) if name and not name.isdigit() else next(rest, None)
        return hole(value) if value is not None else f"{{{name if name and not name.isdigit() else 'value'}}}"

    return FORMAT.sub(fill, text)


def helper_of(node: ast.Call, scope: Scope) -> tuple[Module, Function, str] | None:
    """The function of this release that is called, and the class that it belongs to."""
    name = last_name(node.func)
    if isinstance(node.func, ast.Attribute):
        owner = last_name(node.func.value)
        owner = scope.owner if owner in ("self", "cls") else owner
        found = scope.code.function(scope.module, f"{owner}.{name}")
        if found is None and owner:
            place = scope.code.class_of(scope.module, owner)
            found = scope.code.function(place[0], f"{owner}.{name}") if place else None
        return (*found, owner) if found else None
    found = scope.code.function(scope.module, name)
    return (*found, "") if found else None


def returned(
    node: ast.Call, helper: tuple[Module, Function, str] | None, scope: Scope, depth: int
) -> list[tuple[ast.expr, Scope]]:
    """What a helper gives back, each value with the scope that it is read in."""
    if helper is None or depth <= 1 or helper[1] is scope.function:
        return []
    module, function, owner = helper
    passed = arguments(node, function, scope, depth)
    place = Locals(function)
    return [
        (inner.value, Scope(scope.code, module, owner, function, place, inner.lineno, passed))
        for inner in ast.walk(function)
        if isinstance(inner, ast.Return) and inner.value is not None
    ][:MOST]


def arguments(node: ast.Call, function: Function, scope: Scope, depth: int) -> dict[str, list[str]]:
    """Parameter -> the texts that a call passes for it, defaults included."""
    own = function.args
    names = [row.arg for row in (*own.posonlyargs, *own.args)]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    passed: dict[str, ast.expr] = {}
    for name, value in zip(reversed(names), reversed(own.defaults), strict=False):
        passed[name] = value
    passed |= {row.arg: value for row, value in zip(own.kwonlyargs, own.kw_defaults, strict=True) if value}
    passed |= dict(zip(names, node.args, strict=False))
    passed |= {word.arg: word.value for word in node.keywords if word.arg}
    return {name: texts(value, scope, depth - 2) for name, value in passed.items()}


def hole(node: ast.expr | None) -> str:
    """A {hole} named after an expression."""
    return f"{{{hole_name(node)}}}"


def hole_name(node: ast.expr | None) -> str:
    """A short word for an expression: the last name in it."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        name = str(node.slice.value)
    elif isinstance(node, ast.Call):
        name = hole_name(node.args[0]) if node.args else last_name(node.func)
        if name == "value":
            name = last_name(node.func)
    else:
        name = last_name(node) if node is not None else ""
    name = re.sub(r"\W+", "_", name).strip("_")
    return name if name and not name[0].isdigit() else "value"


def fixed(text: str) -> str:
    """The words of a text without its holes."""
    return HOLE.sub(" ", text)

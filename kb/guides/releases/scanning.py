"""Walks through the code of a release and lists what it can say to its users. Nothing is imported or run."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from kb.guides.releases.code import NOT_ERRORS, Code, Function, Module, is_error_name, last_name
from kb.guides.releases.row import Row
from kb.guides.releases.wording import Locals, Scope, fixed, helper_of, returned, texts

WORDS = ("message", "detail", "msg", "error", "error_message", "content", "reason", "description", "body")
KEYS = ("error", "detail", "error_message", "message", "msg", "reason")
RESPONSES = {"JSONResponse", "ORJSONResponse", "PlainTextResponse", "HTMLResponse", "ProxyException"}
LEVELS = {"error", "exception", "warning", "critical"}
PRINTS = {"print", "echo", "secho", "print_verbose"}
TROUBLE = re.compile(
    r"error|fail|invalid|missing|must|unable|cannot|can't|could ?n|denied|refus|exceed|unsupported|required|"
    r"warn|limit|reached|\bno\b|\bnot\b|n't\b|skip|only|block|forbid|expire|unknown|mismatch|unavailable|"
    r"timed? ?out|please|provider list",
    re.IGNORECASE,
)
TELLING = re.compile(
    r"(?:^|_)(?:error|err|errors|message|messages|msg|detail|details|reason|reasons|exception|failure|note|notice)"
    r"(?:_|$)",
    re.IGNORECASE,
)
FAILS = re.compile(
    r"(?:^|_)(?:error|fail|failed|failure|raise|reject|refuse|deny|abort|invalid|problem|block|warn)(?:_|$)"
)
WORDBOOK = re.compile(r"(?:Error|Message|String)s$")  # classes that are lists of texts
WORD = re.compile(r"[^\W\d_]{2,}")
STATUS = re.compile(r"(?:HTTP_)?([1-5]\d\d)(?:_|$)")
TYPES = {"ProxyErrorTypes"}
SKIPPED = re.compile(r"(^|/)(tests?|docs|cookbook)/|_test\.py$")


def scan(files: Mapping[str, bytes]) -> list[Row]:
    """All rows of a release, sorted; `files` is path -> source of its Python files."""
    code = Code({path: source for path, source in files.items() if not SKIPPED.search(path)})
    found: set[Row] = set()
    for module, tree in code.trees():
        found |= set(Scanner(code, module).rows(tree))
    return sorted(thinned(with_status(found)))


def with_status(rows: set[Row]) -> set[Row]:
    """Errors of a class that has one HTTP status of its own get it where none is given."""
    known: dict[str, set[int]] = {}
    for row in rows:
        if row.kind == "class" and row.status:
            known.setdefault(row.raised, set()).add(row.status)
    own = {name: next(iter(found)) for name, found in known.items() if len(found) == 1}
    return {
        replace(row, status=row.status or own.get(row.raised, 0)) if row.kind == "raise" else row
        for row in rows
    }


def thinned(rows: set[Row]) -> list[Row]:
    """Once for each file what several functions of it say, and no words that an error says itself."""
    first: dict[Row, Row] = {}
    for row in sorted(rows, reverse=True):
        first[replace(row, function="", line=0)] = row
    said = {(row.path, row.text) for row in rows if row.kind in ("raise", "class", "log")}
    return [row for row in first.values() if row.kind != "text" or (row.path, row.text) not in said]


class Scanner:
    """One module's rows."""

    def __init__(self, code: Code, module: Module) -> None:
        self.code = code
        self.module = module

    def rows(self, tree: ast.Module) -> Iterator[Row]:
        """Everything in the module."""
        yield from self.block(tree, Scope(self.code, self.module), "")
        for one in self.module.classes.values():
            if one.name in TYPES:
                for value in one.values.values():
                    for text in texts(value, Scope(self.code, self.module), 2):
                        yield Row(self.module.path, one.name, "type", "", 0, text, "")
            elif WORDBOOK.search(one.name):
                for value in one.values.values():
                    for row in self.words(value, Scope(self.code, self.module, one.name)):
                        yield replace(row, path=self.module.path, function=one.name, line=value.lineno)

    def block(self, node: ast.AST, scope: Scope, name: str) -> Iterator[Row]:
        """What stands in a node, function by function."""
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, Function):
                own = replace(scope, function=inner, locals=Locals(inner), passed={})
                yield from self.block(inner, own, f"{name}.{inner.name}".lstrip("."))
            elif isinstance(inner, ast.ClassDef):
                if inner.name in self.code.errors:
                    yield from self.error_class(inner, scope)
                own = Scope(self.code, self.module, inner.name)
                yield from self.block(inner, own, f"{name}.{inner.name}".lstrip("."))
            else:
                line = getattr(inner, "lineno", scope.line)
                here = scope if line == scope.line else replace(scope, line=line)
                for row in self.found(inner, here):
                    yield replace(row, path=self.module.path, function=name, line=here.line)
                yield from self.block(inner, here, name)

    def error_class(self, node: ast.ClassDef, scope: Scope) -> Iterator[Row]:
        """The class by its name, with what its __init__ and its __str__ say."""
        yield Row(self.module.path, node.name, "class", node.name, 0, "", "", node.lineno)
        for method in node.body:
            if isinstance(method, Function) and method.name in ("__init__", "__str__", "__repr__"):
                own = Scope(self.code, self.module, node.name, method, Locals(method))
                status = class_status(method)
                for inner in ast.walk(method):
                    value = said_of_itself(inner)
                    line = getattr(inner, "lineno", node.lineno)
                    for text in texts(value, replace(own, line=line)) if value is not None else []:
                        if worded(text):
                            yield Row(self.module.path, node.name, "class", node.name, status, "", text, line)

    def found(self, node: ast.AST, scope: Scope) -> Iterator[Row]:
        """What one node says."""
        if isinstance(node, ast.Call):
            yield from self.call(node, scope)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(TELLING.search(last_name(target)) for target in targets):
                yield from self.words(node.value, scope)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value in KEYS:
                    yield from self.words(value, scope)
        elif isinstance(node, ast.Return) and node.value is not None:
            telling = scope.function is not None and TELLING.search(scope.function.name)
            yield from self.words(node.value, scope, least=3 if telling else 5)
        elif isinstance(node, ast.Assert) and node.msg is not None:
            yield from self.made("AssertionError", texts(node.msg, scope), 0, "")

    def words(self, node: ast.expr, scope: Scope, least: int = 3) -> Iterator[Row]:
        """Words for an error that are handed on, of at least so many."""
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp | ast.IfExp | ast.BoolOp | ast.Call):
            if isinstance(node, ast.Call) and last_name(node.func) not in (
                "format",
                "join",
                "dedent",
                "strip",
            ):
                return
            for text in texts(node, scope):
                if len(WORD.findall(fixed(text))) >= least and " " in text.strip() and TROUBLE.search(text):
                    yield Row("", "", "text", "", 0, "", text)

    def call(self, node: ast.Call, scope: Scope) -> Iterator[Row]:
        """A call: of an error's class, of a helper that gives one, of a logger, or with words for one."""
        name = last_name(node.func)
        if self.makes_error(name):
            yield from self.error(node, name, scope)
        elif (
            isinstance(node.func, ast.Attribute)
            and name in LEVELS
            and "log" in last_name(node.func.value).lower()
        ):
            yield from self.logged(node, name, scope)
            return
        elif name in PRINTS:
            yield from (row for row in self.logged(node, "print", scope) if TROUBLE.search(row.text))
        else:
            yield from self.helped(node, scope)
            if FAILS.search(name) or self.appends(node, name):
                for value in node.args:
                    yield from self.words(value, scope)
        for word in node.keywords:
            if word.arg and TELLING.search(word.arg):
                yield from self.words(word.value, scope)

    def appends(self, node: ast.Call, name: str) -> bool:
        """Whether words are added to a list of errors."""
        target = node.func.value if name == "append" and isinstance(node.func, ast.Attribute) else None
        return target is not None and bool(TELLING.search(last_name(target)))

    def makes_error(self, name: str) -> bool:
        """Whether a call of this name makes an error."""
        if name in RESPONSES or name in self.code.errors:
            return True
        return (is_error_name(name) or name == "Timeout") and not name.endswith(NOT_ERRORS)

    def error(self, node: ast.Call, name: str, scope: Scope) -> Iterator[Row]:
        """An error or an answer that tells of one."""
        status = status_of(node, scope)
        if name in RESPONSES and name != "ProxyException" and status < 400:
            return
        yield from self.made(name, message_of(node, scope), status, type_of(node, scope))

    def made(self, name: str, found: list[str], status: int, error_type: str) -> Iterator[Row]:
        """Rows of an error whose words are known; one of which nothing is known says nothing new."""
        for text in found:
            if worded(text):
                yield Row("", "", "raise", name, status, error_type, text)

    def helped(self, node: ast.Call, scope: Scope) -> Iterator[Row]:
        """The error that a helper of this release makes of what it is passed."""
        helper = helper_of(node, scope)
        if helper is None or not (node.args or node.keywords):
            return
        for value, inside in returned(node, helper, scope, 5):
            if isinstance(value, ast.Call) and self.makes_error(last_name(value.func)):
                yield from self.error(value, last_name(value.func), inside)

    def logged(self, node: ast.Call, level: str, scope: Scope) -> Iterator[Row]:
        """A line of the log."""
        if not node.args:
            return
        first = node.args[0]
        whole = ast.BinOp(first, ast.Mod(), ast.Tuple(node.args[1:])) if node.args[1:] else first
        for text in texts(whole, scope):
            if worded(text):
                yield Row("", "", "log", level, 0, "", text)


def worded(text: str) -> bool:
    """Whether a text says anything besides what fills its holes."""
    return bool(WORD.search(fixed(text)))


def message_of(node: ast.Call, scope: Scope) -> list[str]:
    """The words of an error: those of its arguments that are words."""
    named = {word.arg: word.value for word in node.keywords if word.arg}
    values = [named[name] for name in WORDS if name in named]
    values += [value for value in node.args if not isinstance(value, ast.Starred)]
    for value in values:
        found = [text for text in texts(value, scope) if worded(text) and not text.isdigit()]
        if found and not STATUS.fullmatch(last_name(value)):
            return found
    return []


def status_of(node: ast.Call, scope: Scope) -> int:
    """The HTTP status that is given, or 0."""
    named = {word.arg: word.value for word in node.keywords if word.arg}
    for value in (named.get("status_code"), named.get("code"), named.get("status"), *node.args[:1]):
        for text in texts(value, scope, 3) if value is not None else []:
            found = STATUS.fullmatch(text) or STATUS.match(last_name(value) if value is not None else "")
            if found:
                return int(found[1])
    return 0


def type_of(node: ast.Call, scope: Scope) -> str:
    """The word of error.type that is given."""
    for word in node.keywords:
        if word.arg in ("type", "error_type", "type_"):
            found = texts(word.value, scope, 3)
            return found[0] if len(found) == 1 and re.fullmatch(r"[A-Za-z][\w.-]*", found[0]) else ""
    return ""


def class_status(method: Function) -> int:
    """self.status_code = 400 of an error's class."""
    for node in ast.walk(method):
        if isinstance(node, ast.Assign) and last_name(node.targets[0]) == "status_code":
            value = getattr(node.value, "value", None)
            return value if isinstance(value, int) else 0
    return 0


def said_of_itself(node: ast.AST) -> ast.expr | None:
    """The value that a class takes as its message in its own methods."""
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        return node.value if TELLING.search(last_name(target)) else None
    if isinstance(node, ast.Call) and last_name(node.func) == "__init__":
        named = [word.value for word in node.keywords if word.arg in WORDS]
        return next(iter([*named, *node.args]), None)
    return node.value if isinstance(node, ast.Return) else None

"""What the scanner reads out of code: made-up sources, one trait of Python at a time."""

from textwrap import dedent

import pytest

from kb.guides.releases.row import Row, area_of
from kb.guides.releases.scanning import scan


def rows(source: str, **more: str) -> list[Row]:
    """The rows of one file, with others beside it (`types_py` is gate/types.py)."""
    files = {"gate/proxy/auth.py": dedent(source).encode()}
    files |= {f"gate/{name.removesuffix('_py')}.py": dedent(text).encode() for name, text in more.items()}
    return [row for row in scan(files) if row.path == "gate/proxy/auth.py"]


def texts(source: str, **more: str) -> list[str]:
    return [row.text for row in rows(source, **more) if row.text]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ('"The key is spent"', "The key is spent"),
        ('"The key " "is spent"', "The key is spent"),
        ("f\"Key {key.alias} has {costs['spend']} spent\"", "Key {alias} has {spend} spent"),
        ('"Key %s has %.2f spent" % (key.alias, spend)', "Key {alias} has {spend} spent"),
        ('"Key {} has {spend:.2f} spent".format(name, spend=cost)', "Key {name} has {cost} spent"),
        ('"Key " + name + " is spent"', "Key {name} is spent"),
        ('str("Key is spent")', "Key is spent"),
        ('" ".join(["Key", name, "is spent"])', "Key {name} is spent"),
        ('{"error": f"Key {name} is spent", "code": 7}', "{'error': 'Key {name} is spent', 'code': 7}"),
        ('f"Got {str(e)} while the key was read"', "Got {e} while the key was read"),
        ('("Key is spent" + "!").strip()', "Key is spent!"),
    ],
)
def test_a_message_is_read_however_it_is_put_together(said: str, text: str) -> None:
    assert texts(f"def check(key):\n    raise ValueError({said})\n") == [text]


def test_both_texts_of_a_choice_are_read() -> None:
    found = texts("""
        def check(key):
            raise ValueError("No key was sent" if key is None else f"Key {key} is bad")
    """)
    assert found == ["Key {key} is bad", "No key was sent"]


def test_a_variable_is_what_it_was_given_before_the_raise() -> None:
    found = rows("""
        def check(key):
            words = "Never said"
            words = f"Key {key} is spent"
            if key:
                words = "Key is there"
                raise TypeError(words)
            raise ValueError(words)
    """)
    assert {(row.raised, row.text) for row in found} >= {
        ("TypeError", "Key is there"),
        ("ValueError", "Key {key} is spent"),
    }
    assert "Never said" not in [row.text for row in found]


def test_words_that_are_added_to_a_variable_follow_it() -> None:
    assert "The key is spent. Ask an admin." in texts("""
        def check(key):
            words = "The key is spent."
            if key:
                words += " Ask an admin."
            raise ValueError(words)
    """)


def test_constants_and_enums_are_followed_through_imports() -> None:
    found = rows(
        """
        from gate.words import NO_KEY
        from gate.types import Kinds, ProxyErrorTypes

        def check(key):
            raise ProxyException(message=NO_KEY, type=ProxyErrorTypes.no_key, code=401)

        def look(key):
            raise HTTPException(status_code=status.HTTP_403_FORBIDDEN, detail={"error": Kinds.closed.value})
        """,
        words_py='NO_KEY = "No key was sent"',
        types_py="""
        class Kinds(str, enum.Enum):
            closed = "This door is closed"

        class ProxyErrorTypes(str, enum.Enum):
            no_key = "no_key_sent"
        """,
    )
    assert [(row.raised, row.status, row.error_type, row.text) for row in found] == [
        ("ProxyException", 401, "no_key_sent", "No key was sent"),
        ("HTTPException", 403, "", "{'error': 'This door is closed'}"),
    ]


def test_the_words_of_error_type_are_listed() -> None:
    found = rows("class ProxyErrorTypes(str, enum.Enum):\n    no_key = 'no_key_sent'\n")
    assert [(row.kind, row.error_type) for row in found] == [("type", "no_key_sent")]


def test_an_error_that_a_helper_makes_is_found_where_it_is_asked_for() -> None:
    found = rows("""
        def refused(words, status_code=403):
            return HTTPException(status_code=status_code, detail=words)

        def check(key):
            raise refused(f"Key {key} is spent")
    """)
    assert [(row.function, row.raised, row.status, row.text) for row in found] == [
        ("check", "HTTPException", 403, "Key {key} is spent")
    ]


def test_a_class_says_its_name_its_words_and_its_status() -> None:
    found = rows("""
        class KeySpent(Exception):
            def __init__(self, cost, message=None):
                self.status_code = 429
                self.message = message or f"The key is spent: {cost}"
                super().__init__(self.message)

        class Shop:
            def __init__(self):
                self.message = "No error at all"
    """)
    assert {(row.raised, row.status, row.text) for row in found if row.kind == "class"} == {
        ("KeySpent", 0, ""),
        ("KeySpent", 429, "The key is spent: {cost}"),
    }


def test_a_raise_gets_the_status_of_its_class() -> None:
    found = rows("""
        class KeySpent(Exception):
            def __init__(self, cost):
                self.status_code = 429
                super().__init__(f"The key is spent: {cost}")

        def check():
            raise KeySpent("All of the money is gone")
    """)
    assert [row.status for row in found if row.kind == "raise"] == [429]


def test_the_log_and_the_terminal_are_read() -> None:
    found = rows("""
        def start(port):
            verbose_proxy_logger.error("Port %s is taken: %s", port, str(e))
            verbose_proxy_logger.info("Port is free")
            print(f"Error: {port} is taken")
            print("Have a nice day")
    """)
    assert {(row.kind, row.raised, row.text) for row in found} == {
        ("log", "error", "Port {port} is taken: {e}"),
        ("log", "print", "Error: {port} is taken"),
    }


def test_an_answer_that_tells_of_an_error_counts_and_a_good_one_does_not() -> None:
    found = rows("""
        def answer(ok):
            if ok:
                return JSONResponse(status_code=200, content={"message": "All is well"})
            return JSONResponse(status_code=503, content={"error": "Nobody is here"})
    """)
    assert [(row.status, row.text) for row in found] == [(503, "{'error': 'Nobody is here'}")]


def test_an_error_without_words_and_a_docstring_say_nothing() -> None:
    assert (
        texts('''
        def check(e):
            """Raises ValueError: the key is not found."""
            raise ValueError(e)
    ''')
        == []
    )


def test_what_is_no_python_is_passed_over() -> None:
    assert scan({"gate/bad.py": b"def ("}) == []


def test_words_are_listed_once_for_a_file() -> None:
    found = rows("""
        def one():
            raise ValueError("No database is there")

        def two():
            raise ValueError("No database is there")
    """)
    assert [row.function for row in found] == ["one"]


def test_a_method_is_named_with_its_class_and_an_inner_function_with_its_outer() -> None:
    found = rows("""
        class Door:
            def open(self):
                def inner():
                    raise ValueError("The door is shut")
    """)
    assert [row.function for row in found] == ["Door.open.inner"]
    assert [row.line for row in found] == [5]


@pytest.mark.parametrize(
    ("path", "area"),
    [
        ("litellm/proxy/auth/auth_checks.py", "proxy/auth"),
        ("litellm/proxy/proxy_server.py", "proxy"),
        ("litellm/proxy/rag_endpoints/x.py", "proxy/endpoints"),
        ("litellm/router.py", "router"),
        ("litellm/router_strategy/budget_limiter.py", "router"),
        ("litellm/llms/openai/common_utils.py", "llms/openai"),
        ("litellm/llms/base.py", "sdk"),
        ("litellm/main.py", "sdk"),
        ("litellm/integrations/langfuse/langfuse.py", "callbacks"),
        ("litellm/proxy/_experimental/mcp_server/server.py", "mcp"),
    ],
)
def test_a_file_belongs_to_an_area(path: str, area: str) -> None:
    assert area_of(path) == area

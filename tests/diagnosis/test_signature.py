"""Signatures are found in every wrapping, the most specific first, with spans that hold."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.diagnosis.signature import Matcher, Signature, SignatureError, text_facts, validate
from kb.diagnosis.text import canonical, readable, redact

BUDGET = Signature(
    guide="budget-exceeded-key",
    id="spend",
    all_of=("Budget has been exceeded!", "Current cost:"),
)
UPSTREAM = Signature(
    guide="budget-exceeded-upstream-proxy",
    id="openai",
    all_of=("OpenAIException - Budget has been exceeded!",),
)
TEAM = Signature(
    guide="budget-exceeded-team",
    id="team",
    all_of=("Budget has been exceeded! Team=", "Current cost:"),
)
TIMEOUT = Signature(guide="llm-timeout", id="any", all_of=("Request timed out",), general=True)
BLOCKED = Signature(
    guide="auth-key-blocked",
    id="blocked",
    all_of=("Key is blocked. Update via `/key/unblock` if you're an admin",),
)
ALL = (BUDGET, UPSTREAM, TEAM, TIMEOUT, BLOCKED)
MESSAGE = "Budget has been exceeded! Current cost: 26.075, Max budget: 0.25"


def found(text, *signatures, marks=("litellm",)):
    return Matcher(signatures or ALL, marks).match(text)


def slugs(answer):
    return [match.guide for match in answer.matches]


WRAPPED = {
    "plain": MESSAGE,
    "json": json.dumps({"error": {"message": MESSAGE, "code": "400"}}, indent=2),
    "nested json": json.dumps(json.dumps({"error": json.dumps({"message": MESSAGE})})),
    "traceback": f'Traceback:\n  File "a.py", line 1\n    raise e\nlitellm.Error: {MESSAGE}\n',
    "wrapped lines": MESSAGE.replace(" ", "\n    "),
    "compose log": "proxy-1  | " + MESSAGE.replace(" ", "\nproxy-1  | "),
    "pytest": "E   " + MESSAGE.replace(" Current", "\nE   Current"),
    "rich box": "╭─────╮\n│ Budget has been   │\n│ exceeded! Current │\n│ cost: 26.075, Max budget: 0.25 │",
    "colours": MESSAGE.replace("been", "\x1b[1mbeen\x1b[0m"),
    "case": MESSAGE.lower(),
    "html": f"&quot;{MESSAGE}&quot;",
    "direction tricks": readable(f"\u202e{MESSAGE}\u2066\x00"),
    "letters that grow in lower case": f"{'İ' * 40} {MESSAGE}",
    "astral letters": f"{'😀' * 40} {MESSAGE}",
    "backslashes": "\\" * 999 + MESSAGE,
    "escapes": "\x1b" * 999 + "[0m" + MESSAGE,
    "cut in the middle": f'ge": "{MESSAGE}", "ty',
    "one line of a megabyte": "x" * 900_000 + MESSAGE + "y" * 99_000,
    "a megabyte of lines": "INFO: ok\n" * 100_000 + MESSAGE,
    "a megabyte of backslashes": "\\" * 999_000 + MESSAGE,
    "a megabyte of quotes": '"\\' * 400_000 + MESSAGE,
    "itself ten thousand times": f"{MESSAGE}\n" * 10_000,
    "its own beginning again and again": MESSAGE[:24] * 40_000 + MESSAGE,
}


@pytest.mark.parametrize("text", WRAPPED.values(), ids=WRAPPED)
def test_finds_a_message_in_any_wrapping(text):
    answer = found(text)

    assert answer.verdict == "match"
    assert slugs(answer) == ["budget-exceeded-key"]
    match = answer.matches[0]
    assert match.confidence == "known_shape"
    assert match.values["current_cost"] == "26.075"
    assert match.values["max_budget"] == "0.25"
    for span in match.spans:
        assert 0 <= span.start < span.end <= len(text)
        piece = canonical(text[span.start : span.end]).text
        assert piece.lower() == span.literal.lower()


@pytest.mark.parametrize(
    "text",
    ["", "x", "\\", "\x1b", "\x00", "\ud800", " ", "\n" * 999, "Budget has been exceeded",
     "\\" * 1_000_000, "\x1b" * 1_000_000, "\x1b[" * 500_000, "\u2019" * 300_000,
     "Budget has been " * 60_000],
    ids=lambda text: repr(text[:8]),
)  # fmt: skip
def test_says_none_where_nothing_fits(text):
    answer = found(text)

    assert answer.verdict == "none"
    assert answer.matches == ()


@given(st.text(st.characters(), max_size=80), st.text(st.characters(), max_size=80))
def test_finds_it_between_any_two_texts(before, after):
    text = redact(readable(f"{before} | {MESSAGE} | {after}")).text

    match = next(m for m in found(text).matches if m.guide == "budget-exceeded-key")

    for span in match.spans:
        assert canonical(text[span.start : span.end]).text.lower() == span.literal.lower()


LOG = "INFO:     10.0.0.7:4711 - 'POST /v1/chat/completions HTTP/1.1' 200 OK\n"


@pytest.mark.parametrize("before", [*range(0, 16_001, 997), 3_990, 7_970, 11_990])
def test_finds_a_message_anywhere_in_a_long_log(before):
    lines = LOG * 300
    wrapped = MESSAGE.replace(" ", "\n      ")

    match = found(f"{lines[:before]}{wrapped}\n{lines[before:]}").matches[0]

    assert match.guide == "budget-exceeded-key"
    assert match.spans[0].start == before
    assert (match.values["current_cost"], match.values["max_budget"]) == ("26.075", "0.25")


def test_words_of_another_error_far_away_neither_complete_nor_veto():
    own = Signature(guide="own", id="1", all_of=("Budget has been exceeded!",), none_of=("Team=",))
    torn = Signature(guide="torn", id="1", all_of=("Budget has been exceeded!", "No connected db."))
    near = f"{MESSAGE}\n{LOG * 3}Team=blue: No connected db."
    far = near.replace(LOG * 3, LOG * 300)

    assert slugs(found(near, own, torn)) == ["torn"]
    assert slugs(found(far, own, torn)) == ["own"]


def test_of_two_tools_each_goes_by_its_own_marks():
    first, second = (
        Signature(guide=tool, id="1", all_of=("Budget has been exceeded!",), in_tool=True, tool=tool)
        for tool in ("litellm", "portkey")
    )
    marks = {"litellm": ["litellm"], "portkey": ["portkey", "x-portkey-trace"]}

    assert slugs(found(f"litellm: {MESSAGE}", first, second, marks=marks)) == ["litellm"]
    assert slugs(found(f"x-portkey-trace: 1 {MESSAGE}", first, second, marks=marks)) == ["portkey"]
    assert slugs(found(MESSAGE, first, second, marks=marks)) == []


def test_what_would_match_if_the_text_named_its_tool_is_told_apart_from_matches():
    asks = Signature(guide="asks", id="1", all_of=("Budget has been exceeded!",), in_tool=True)
    vague = Signature(guide="vague", id="1", all_of=("Budget has been",), in_tool=True, general=True)
    plain = Signature(guide="plain", id="1", all_of=("No connected db.",))

    alone = found(MESSAGE, vague, asks, plain)
    assert (alone.verdict, alone.matches, alone.unsaid) == ("none", (), ("asks", "vague"))
    assert found(f"litellm: {MESSAGE}", vague, asks, plain).unsaid == ()
    beside = found(f"{MESSAGE} No connected db.", vague, asks, plain)
    assert (slugs(beside), beside.unsaid) == (["plain"], ())


def test_the_tool_may_be_named_anywhere_in_a_long_log():
    asks = Signature(guide="asks", id="1", all_of=("Budget has been exceeded!",), in_tool=True)

    assert slugs(found(f"litellm\n{LOG * 300}{MESSAGE}", asks)) == ["asks"]
    assert slugs(found(f"{LOG * 300}{MESSAGE}", asks)) == []


def test_a_value_that_the_pattern_names_is_told_once():
    gone = Signature(guide="gone", id="1", all_of=("User not found",), pattern=r"user_id=(?P<user_id>\S+)")

    assert found("😀 User not found: user_id=abc", gone).matches[0].values == {"user_id": "abc"}
    both = found("User not found: user_id=abc model=abc", gone).matches[0].values
    assert both == {"user_id": "abc", "model": "abc"}


@pytest.mark.parametrize("gap", ["\n\n\n", "\n \n\t\n\n", "\na-1  | \na-1  | \na-1  | "])
def test_values_beyond_two_blank_lines_belong_to_another_error(gap):
    column = Signature(guide="column", id="1", all_of=("The column does not exist",))
    other = "litellm.AuthenticationError: AnthropicException - invalid x-api-key"
    own = "prisma.errors.DataError: The column does not exist"

    line = gap.rpartition("\n")[2]
    apart = f"{line}{other}{gap}{own}{gap}model=late"

    assert found(apart, column).matches[0].values == {"exception": "DataError"}
    near = found(f"{other}\n\n{own}\n\nReceived Model Group=gpt", column).matches[0].values
    assert near == {"exception": "DataError", "provider": "Anthropic", "model_group": "gpt"}


def test_the_name_of_the_container_names_the_tool():
    asks = Signature(guide="asks", id="1", all_of=("Budget has been exceeded!",), in_tool=True)

    assert slugs(found(f"litellm-1  | {MESSAGE}\nlitellm-1  | more", asks)) == ["asks"]
    assert slugs(found(f"gateway-1  | {MESSAGE}\ngateway-1  | more", asks)) == []
    vague = Signature(guide="vague", id="1", all_of=("Budget has been",), general=True)
    assert slugs(found(f"litellm-1  | {MESSAGE}\nlitellm-1  | more", vague, asks)) == ["asks", "vague"]


def test_finds_each_of_more_signatures_than_one_automaton_holds():
    known = [
        Signature(guide=f"g{place}", id="s", all_of=(f"widget {place} is broken",)) for place in range(40_000)
    ]
    matcher = Matcher(known, ["litellm"])
    for place in (0, 12_499, 12_500, 39_999):
        assert [match.guide for match in matcher.match(f"so widget {place} is broken").matches] == [
            f"g{place}"
        ]


def test_an_empty_matcher_knows_nothing():
    assert Matcher((), ()).match(MESSAGE).verdict == "none"


def test_the_wider_literal_wins_whatever_the_lengths():
    wordy = Signature(
        guide="budget-wordy",
        id="1",
        all_of=("Budget has been exceeded!", "Current cost:", "Max budget:", "budget_exceeded"),
    )
    text = f"litellm.BadRequestError: OpenAIException - {MESSAGE}', 'type': 'budget_exceeded'"

    answer = found(text, wordy, UPSTREAM)

    assert slugs(answer) == ["budget-exceeded-upstream-proxy", "budget-wordy"]
    assert answer.verdict == "match"
    assert answer.matches[0].lost_because == ""
    assert answer.matches[1].lost_because == ("The first signature contains its fixed text and more.")


def test_who_reads_the_wrapper_beats_who_reads_on():
    named = Signature(
        guide="budget-exceeded-key",
        id="named",
        all_of=("Budget has been exceeded! Key=", "Current cost:", "Max budget:"),
    )
    text = f"OpenAIException - {MESSAGE.replace('! ', '! Key=lab ')}"

    answer = found(text, named, UPSTREAM)

    assert slugs(answer)[0] == "budget-exceeded-upstream-proxy"
    assert answer.matches[1].spoken_by == "upstream_gateway"
    assert "gateway behind this one" in answer.matches[1].lost_because


def test_more_fixed_text_wins_and_says_so():
    short = Signature(guide="a-short", id="1", all_of=("Max budget: 0.25",))

    answer = found(MESSAGE, short, BUDGET)

    assert slugs(answer) == ["budget-exceeded-key", "a-short"]
    assert answer.matches[1].lost_because == (
        "Its signature is less specific: 16 characters of fixed text against 38."
    )


def test_general_signatures_lose_and_claim_less():
    both = found(f"Request timed out after a very long time. {MESSAGE}")
    alone = found("APITimeoutError - Request timed out.")

    assert slugs(both) == ["budget-exceeded-key", "llm-timeout"]
    assert alone.matches[0].confidence == "consistent"
    assert alone.verdict == "match"


def test_an_error_that_quotes_others_comes_before_them():
    listed = Signature(guide="health", id="1", all_of=("unhealthy_endpoints",), quotes=True)

    far_away = "\nINFO: served" * 2_000

    together = found(f'{{"unhealthy_endpoints": [{{"error": "{MESSAGE}"}}]}}', listed, BUDGET)
    apart = found(f"GET /health unhealthy_endpoints: 1{far_away}{MESSAGE}", listed, BUDGET)

    assert slugs(together) == ["health", "budget-exceeded-key"]
    assert (
        together.matches[1].lost_because == "The first guide's error quotes others, and this is one of them."
    )
    assert slugs(apart)[0] == "budget-exceeded-key"


def test_equal_claims_are_ambiguous_and_later_comes_first():
    first = Signature(guide="a-first", id="1", all_of=("connection to alpha failed",))
    second = Signature(guide="b-second", id="1", all_of=("connection to gamma failed",))

    answer = found("connection to alpha failed\nconnection to gamma failed", first, second)

    assert answer.verdict == "ambiguous"
    assert slugs(answer) == ["b-second", "a-first"]
    assert [match.confidence for match in answer.matches] == ["undecided", "undecided"]


def test_two_guides_of_one_text_keep_their_names_order():
    twins = [Signature(guide=guide, id="1", all_of=("connection failed",)) for guide in ("b", "a", "c")]

    assert slugs(found("connection failed", *twins)) == ["a", "b", "c"]


def test_one_match_a_guide_and_five_at_most():
    many = [
        Signature(guide=f"g{n}", id=str(k), all_of=("connection failed" + "!" * n,))
        for n in range(9)
        for k in range(3)
    ]

    answer = found("connection failed" + "!" * 20, *many)

    assert slugs(answer) == ["g8", "g7", "g6", "g5", "g4"]


def test_every_condition_has_to_hold():
    signature = Signature(
        guide="g",
        id="1",
        all_of=("Rate limit exceeded", "Limit type"),
        any_of=("tokens", "requests"),
        none_of=("for team",),
        pattern=r"Current limit: (?P<ceiling>\d+)",
        status=429,
        error_type="throttling_error",
        in_tool=True,
    )
    text = (
        "{'error': {'message': 'LiteLLM: Rate limit exceeded for api_key: x. Limit type: requests."
        " Current limit: 3, Remaining: 0.', 'type': 'throttling_error', 'param': None,"
        " 'code': '429'}}"
    )
    assert found(text, signature).matches[0].values["ceiling"] == "3"
    for old, new in (
        ("Limit type", "Kind"),
        ("requests", "calls"),
        ("for api_key", "for team"),
        ("limit: 3", "limit: none"),
        ("429", "500"),
        ("throttling_error", "None"),
        ("LiteLLM", "Envoy"),
    ):
        assert found(text.replace(old, new), signature).verdict == "none", old


def test_literals_are_read_like_texts():
    signature = Signature(guide="g", id="1", all_of=("model isn\u2019t  mapped\nyet",))

    assert found("This MODEL isn't mapped yet.", signature).verdict == "match"


@pytest.mark.parametrize(
    ("before", "speaker", "spoken_by"),
    [
        ("", "gateway", "gateway"),
        ("litellm.AuthenticationError: OpenAIException - ", "gateway", "upstream_gateway"),
        ("OpenAIException - Error code: 401 - {'error': {'message': '", "gateway", "upstream_gateway"),
        ("AnthropicException - litellm.BadRequestError: ", "gateway", "gateway"),
        ("OpenAIException - no. It says: ", "gateway", "gateway"),
        ("OpenAIException - ", "provider", "provider"),
    ],
)  # fmt: skip
def test_tells_who_spoke(before, speaker, spoken_by):
    signature = Signature(guide="g", id="1", all_of=("Key is blocked. Update",), speaker=speaker)

    answer = found(f"{before}Key is blocked. Update via", signature)

    assert answer.matches[0].spoken_by == spoken_by


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"all_of": ()}, "Give all_of at least one literal"),
        ({"all_of": ("short",)}, "at least 8 characters"),
        ({"all_of": ("long enough", " ")}, "Remove the blank literal"),
        ({"all_of": ("x" * 301,)}, "Shorten the literal to 300"),
        ({"any_of": tuple(map(str, range(20)))}, "Keep to 20 literals"),
        ({"pattern": "(a)\\1"}, "RE2 syntax"),
        ({"pattern": "a*"}, "empty text"),
        ({"status": 9}, "from 100 to 599"),
        ({"speaker": "parrot"}, "Set speaker"),
    ],
)
def test_says_what_to_do_about_a_bad_signature(fields, advice):
    signature = Signature(**{"guide": "g", "id": "1", "all_of": ("long enough",), **fields})

    assert any(advice in problem for problem in validate(signature))
    with pytest.raises(SignatureError, match="g/1"):
        Matcher([signature], ())


def test_good_signatures_have_no_problems():
    assert [validate(signature) for signature in ALL] == [[]] * len(ALL)


@pytest.mark.parametrize(
    "cut", ["RateLimitError: GroqException -", "\x1b[91mGroqException\x1b[0m -", "x\nGroqException\n-"]
)
def test_the_space_that_a_copy_lost_behind_a_dash_is_read(cut):
    groq = Signature(guide="rate-limit", id="groq", all_of=("GroqException - ",))
    (match,) = found(cut, groq).matches
    assert cut[match.spans[0].start : match.spans[0].end].endswith("-")
    assert match.spans[0].end == len(cut)


def test_rulesets_differ_exactly_when_answers_could():
    assert Matcher(ALL, ["litellm"]).ruleset == Matcher(ALL[::-1], ["litellm"]).ruleset
    assert Matcher(ALL, ["litellm"]).ruleset != Matcher(ALL[1:], ["litellm"]).ruleset
    assert Matcher(ALL, ["litellm"]).ruleset != Matcher(ALL, ["portkey"]).ruleset


def test_reads_the_gateways_own_facts_first():
    facts = text_facts(
        "openai.RateLimitError: Error code: 429 - {'error': {'message': 'VertexAIException -"
        ' { "error": { "code": 503, "type": "inner_error" } }\', \'type\': \'throttling_error\','
        " 'param': None, 'code': '429'}} HTTP/1.1\" 200 OK"
    )

    assert facts.status == 429
    assert facts.error_type == "throttling_error"
    assert facts.statuses == {429, 503, 200}
    assert facts.error_types == {"throttling_error", "inner_error"}
    assert facts.classes == ("RateLimitError", "VertexAIException")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Error code: 401 - {}", 401),
        ('{"code": "400"}', 400),
        ("{'code': '401'}", 401),
        ('"POST /chat HTTP/1.1" 429 Too Many Requests', 429),
        ("HTTP 400", 400),
        ("VertexAIError(status_code=503)", 503),
        ("An error occurred: 400: {'error'", 400),
        ("port 4000, 404 files", None),
    ],
)
def test_reads_the_status_off_a_text(text, status):
    assert text_facts(text).status == status


def test_words_that_are_no_error_type_are_not_one():
    assert text_facts("'type': 'function', 'type': 'None', \"type\": \"object\"").error_type is None

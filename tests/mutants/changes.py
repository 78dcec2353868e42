"""One change at a time in a statement of SQL: an operator, a constant, a join, a filter, a function.

What is no rule is left alone: comments, types, names, and words that people read (a literal with a space between letters, or beside `||`).
So are changes that change nothing: row_number into rank (what is numbered here is in a total order); max into min where a filter asks for one
key (`max(x) filter (where area_code = 'LONDON_32')` is how a row is picked); a rank that is compared with 1 into a dense one; the digits of a
round whose result is cast to as many.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<string>[eE]?'(?:[^']|'')*')
    |(?P<name>"[^"]*"|[A-Za-z_][A-Za-z_0-9]*)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<operator>::|<=|>=|<>|!=|\|\||->>|->|!~\*?|~\*|=>|@>|<@|&&|[^\s])""",
    re.VERBOSE | re.DOTALL,
)
SWAPS = {
    "=": "<>", "<>": "=", "!=": "=", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "~": "!~", "!~": "~",
    "or": "and", "true": "false", "false": "true", "desc": "asc", "like": "not like",
    "max": "min", "min": "max", "sum": "max", "avg": "max", "greatest": "least", "least": "greatest", "floor": "ceil", "ceil": "floor",
    "ceiling": "floor", "lag": "lead", "lead": "lag", "rank": "dense_rank", "bool_or": "bool_and", "bool_and": "bool_or",
}  # fmt: skip
FUNCTIONS = {
    "max", "min", "sum", "avg", "greatest", "least", "floor", "ceil", "ceiling", "lag", "lead", "rank", "bool_or", "bool_and",
}  # fmt: skip
PARTS_OF_DATE = {
    "month": "year",
    "year": "month",
    "day": "month",
    "hour": "day",
    "quarter": "month",
    "isodow": "dow",
    "dow": "isodow",
}
TYPES = {"numeric", "decimal", "varchar", "char", "time", "timestamp", "interval"}
_ENDS_A_CLAUSE = {"group", "order", "having", "union", "except", "intersect", "limit", "window", "where", "offset"}
_ENDS_A_JOIN = _ENDS_A_CLAUSE | {"left", "right", "inner", "full", "cross", "join"}


@dataclasses.dataclass(frozen=True)
class Token:
    """A word of a statement: its kind, its text, where it begins, and how many brackets and cases are open around it."""

    kind: str
    text: str
    start: int
    depth: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclasses.dataclass(frozen=True)
class Change:
    """What is replaced: the characters from start to end of a statement, by these."""

    start: int
    end: int
    text: str
    kind: str

    def made_in(self, statement: str) -> str:
        """The statement with the change made."""
        return statement[: self.start] + self.text + statement[self.end :]


def tokens_of(statement: str) -> list[Token]:
    """The words of a statement, without comments and spaces."""
    found, depth = [], 0
    for match in _TOKEN.finditer(statement):
        kind, text = str(match.lastgroup), match.group()
        if kind == "skip":
            continue
        low = text.lower() if kind == "name" else text
        if low in {")", "]"} or (low == "end" and kind == "name"):
            depth -= 1
        found.append(Token(kind, low if kind == "name" else text, match.start(), depth))
        if low in {"(", "["} or (low == "case" and kind == "name"):
            depth += 1
    return found


def changes_of(statement: str) -> list[Change]:
    """Every change we make in the statement, in its order, each once."""
    tokens = tokens_of(statement)
    found = {(c.start, c.end, c.text): c for c in [*_swaps(tokens), *_constants(tokens), *_clauses(tokens)]}
    return sorted(found.values(), key=lambda c: (c.start, c.end, c.text))


def _swaps(tokens: list[Token]) -> Iterator[Change]:
    """Operators, joins, orders and functions in which one word becomes another."""
    nothing = Token("operator", "", 0, 0)
    between: list[int] = []
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else nothing
        after = tokens[place + 1] if place + 1 < len(tokens) else nothing
        is_value = before.kind in {"number", "string"} or before.text in {")", "]", "end"} or before.kind == "name"
        if token.kind == "string" or token.kind == "number":
            continue
        if token.text == "between":
            between.append(token.depth)
        elif token.text == "and":
            if between and between[-1] == token.depth:
                between.pop()
            else:
                yield _swap(token, "or", "logic")
        elif token.text in {"+", "-"} and is_value:
            yield _swap(token, "-" if token.text == "+" else "+", "arithmetic")
        elif token.text in {"*", "/"} and is_value and before.text not in {"select", "distinct", ".", "("}:
            yield _swap(token, "/" if token.text == "*" else "*", "arithmetic")
        elif token.text == "not" and after.text != "materialized":
            yield Change(token.start, after.start, "", "negation")
        elif token.text == "is" and after.text in {"null", "true", "false", "distinct"}:
            yield Change(token.end, token.end, " not", "negation")
        elif token.text in {"in", "exists"} and after.text == "(" and before.text != "not":
            yield _swap(token, f"not {token.text}", "negation")
        elif token.text in {"left", "full"} and after.text in {"join", "outer"}:
            yield _swap(token, "inner", "join")
        elif token.text == "inner" and after.text == "join":
            yield _swap(token, "left", "join")
        elif token.text == "union" and after.text != "all":
            yield _swap(token, "union all", "function")
        elif token.text == "distinct" and after.text not in {"on", "from"} and before.text in {"select", "("}:
            yield Change(token.start, after.start, "", "function")
        elif token.text in {"first", "last"} and before.text == "nulls":
            yield _swap(token, "last" if token.text == "first" else "first", "order")
        elif (token.text in {"max", "min"} and after.text == "(" and _picks_one(tokens, place)) or (
            token.text == "rank" and _asks_for_the_first(tokens, place)
        ):
            continue
        elif (
            token.text in SWAPS
            and (token.text not in FUNCTIONS or after.text == "(")
            and not (token.text == "like" and before.text == "not")
            and before.text != "."
        ):
            yield _swap(token, SWAPS[token.text], "function" if token.text in FUNCTIONS else "comparison")


def _picks_one(tokens: list[Token], place: int) -> bool:
    """Whether the aggregate at this place has a filter by one literal: `filter (where area_code = 'LONDON_32')`."""
    depth = tokens[place].depth
    closed = next(n for n in range(place + 2, len(tokens)) if tokens[n].text == ")" and tokens[n].depth == depth)
    ahead = tokens[closed + 1 : closed + 4]
    if [token.text for token in ahead] != ["filter", "(", "where"]:
        return False
    condition = []
    for token in tokens[closed + 4 :]:
        if token.depth <= depth:
            break
        condition.append(token)
    return (
        sum(token.text == "=" for token in condition) == 1
        and condition[-1].kind in {"string", "number"}
        and len(condition) <= 5
    )


def _asks_for_the_first(tokens: list[Token], place: int) -> bool:
    """Whether the rank at this place is compared with 1, where a dense one is the same: `rank() over (order by a) = 1`."""
    depth = tokens[place].depth
    ahead = [token for token in tokens[place + 1 :] if token.depth <= depth][:7]
    return [token.text for token in ahead] == ["(", ")", "over", "(", ")", "=", "1"]


def _is_cast_to_as_many(tokens: list[Token], place: int) -> bool:
    """Whether the number at this place is the digits of a round that is cast to a numeric of as many: `round(x, 2)::numeric(12, 2)`."""
    ahead = [token.text for token in tokens[place + 1 : place + 9]]
    return len(ahead) == 8 and ahead[:4] == [")", "::", "numeric", "("] and ahead[5:] == [",", tokens[place].text, ")"]


def _constants(tokens: list[Token]) -> Iterator[Change]:
    """Numbers, words, days, spans of time and parts of a date become others."""
    opened: list[str] = []
    for place, token in enumerate(tokens):
        before = tokens[place - 1].text if place else ""
        after = tokens[place + 1].text if place + 1 < len(tokens) else ""
        if token.text == "(":
            opened.append(before)
        elif token.text == ")" and opened:
            opened.pop()
        inside = opened[-1] if opened else ""
        if token.kind == "number" and inside not in TYPES:
            # What a subquery of `exists` selects, nobody reads.
            if not (before == "select" and inside == "exists") and not _is_cast_to_as_many(tokens, place):
                other = str(int(token.text) + 1) if token.text.isdigit() else f"{float(token.text) * 1.1:.6g}"
                yield _swap(token, other, "constant")
        elif token.kind == "name" and inside == "extract" and before == "(" and token.text in PARTS_OF_DATE:
            yield _swap(token, PARTS_OF_DATE[token.text], "constant")
        elif (
            token.kind == "string"
            and "||" not in {before, after}
            and inside not in {"to_char", "to_date", "format"}
            and (other := _other_word(token.text[1:-1], inside)) is not None
        ):
            yield _swap(token, f"'{other}'", "constant")


def _other_word(word: str, inside: str) -> str | None:
    """What a literal becomes; None for one that is read by people or says nothing."""
    if inside in {"date_trunc", "date_part"} and word in PARTS_OF_DATE:
        return PARTS_OF_DATE[word]
    if span := re.fullmatch(r"(-?\d+) (\w+)", word):
        return f"{int(span.group(1)) + 1} {span.group(2)}"
    if re.fullmatch(r"\d{4}-\d\d-\d\d", word):
        return (dt.date.fromisoformat(word) + dt.timedelta(days=1)).isoformat()
    if not re.search(r"\w", word) or re.search(r"[A-Za-z,.;:)] +[(A-Za-z%]", word) or word != word.strip():
        return None
    return f"{word}~"


def _clauses(tokens: list[Token]) -> Iterator[Change]:
    """A condition of a filter or of a join is dropped; of coalesce and nullif the first argument stays alone."""
    for place, token in enumerate(tokens):
        if token.kind != "name":
            continue
        if token.text in {"where", "having", "on"} and not (
            token.text == "on" and tokens[place - 1].text == "distinct"
        ):
            conditions = _conditions(tokens, place + 1, _ENDS_A_JOIN if token.text == "on" else _ENDS_A_CLAUSE)
            if token.text != "on" or len(conditions) > 1:
                for first, last in conditions:
                    if tokens[first].text != "true":
                        yield Change(
                            tokens[first].start, tokens[last].end, "true", "filter" if token.text != "on" else "join"
                        )
        elif token.text in {"coalesce", "nullif"} and tokens[place + 1].text == "(":
            inside = tokens[place + 1].depth + 1
            commas = []
            for other in tokens[place + 2 :]:
                if other.depth < inside:
                    if commas:
                        yield Change(commas[0], other.start, "", "function")
                    break
                if other.text == "," and other.depth == inside:
                    commas.append(other.start)


def _conditions(tokens: list[Token], first: int, ends: set[str]) -> list[tuple[int, int]]:
    """The conditions joined by `and` from this token to the end of their clause, by their first and last token; one, where `or` joins any."""
    depth, last, cuts, is_either, in_between = tokens[first].depth, first, [], False, False
    if tokens[first].text in {"(", "case"}:
        depth = tokens[first].depth
    for place in range(first, len(tokens)):
        token = tokens[place]
        if token.depth < depth or (token.depth == depth and token.kind == "name" and token.text in ends):
            break
        if token.depth == depth and token.text in {",", ";"}:
            break
        last = place
        if token.depth == depth:
            is_either |= token.text == "or"
            if token.text == "between":
                in_between = True
            elif token.text == "and" and in_between:
                in_between = False
            elif token.text == "and":
                cuts.append(place)
    if is_either or not cuts:
        return [(first, last)]
    return list(zip([first, *(cut + 1 for cut in cuts)], [*(cut - 1 for cut in cuts), last], strict=True))


def _swap(token: Token, text: str, kind: str) -> Change:
    return Change(token.start, token.end, text, kind)

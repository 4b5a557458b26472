"""What is wrong with a value, in our own words: nothing that a schema library writes reaches a user as it is."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic_core.core_schema import ErrorType

_WORDS = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "missing": "is missing",
    "model_type": "must be a mapping",
    "path_type": "must be a path",
    "string_too_short": "must not be empty",
    "string_type": "must be text",
    "tuple_type": "must be a list",
}
_WITH_CONTEXT = {
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} values",
    "too_short": "must have at least {min_length} values",
    "unexpected_keyword_argument": "is no key that it may have",
    "missing_argument": "is missing",
    "multiple_argument_values": "is given twice",
}


def in_words(error: Mapping[str, Any]) -> str:
    """What one error of a validation means, to follow the name of the value."""
    kind = error["type"]
    if kind in _WORDS:
        return _WORDS[kind]
    if kind in _WITH_CONTEXT:
        return _WITH_CONTEXT[kind].format_map(error.get("ctx") or {})
    if kind == "value_error" or kind not in get_args(ErrorType):  # a message of our own
        return str(error["msg"]).removeprefix("Value error, ")
    return "is not a value that it may have"

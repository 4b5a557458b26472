"""Networks of published code that no library has, defined here so that their published weights load.

Each is written from what its paper and its weights say; parameters carry the names that the weight files give
them, so that every tensor must fit. `table` names them, for `source: {github: ..., network: NAME}`; `files` finds
and fetches their weights.
"""

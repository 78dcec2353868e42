"""Check digits: the last digit of an identifier, which tells whether the others are what they were."""

from __future__ import annotations

# The table of the dihedral group of ten elements, by rows; and what a place does to a digit, each row the one before
# applied once more. J. Verhoeff, Error Detecting Decimal Codes, 1969; SNOMED CT Release File Specification, 5.5.
_PRODUCT = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
_PLACES = [tuple(range(10)), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)]
for _ in range(6):
    _PLACES.append(tuple(_PLACES[-1][digit] for digit in _PLACES[1]))


def is_verhoeff(digits: str) -> bool:
    """Whether a number, its last digit the check digit, is whole by Verhoeff's scheme: no digit mistyped, no two swapped."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _PRODUCT[check][_PLACES[place % 8][int(digit)]]
    return check == 0


def is_nhs_number(digits: str) -> bool:
    """Whether ten digits are an NHS number: the last is 11 less the weighted sum of the others modulo 11 (NHS Data Dictionary, NHS NUMBER).

    Ten digits that are all the same are the mark of a number that was not known.
    """
    if len(set(digits)) == 1:
        return False
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check % 11 == int(digits[9]) and check != 10

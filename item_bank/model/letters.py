"""Bold, script, fraktur, double-struck letters as Unicode characters: MathML Core draws no `mathvariant` but normal."""

_BASES: dict[str, tuple[int, int, int]] = {  # first capital, first small letter, first digit; 0: none
    "bold": (0x1D400, 0x1D41A, 0x1D7CE),
    "italic": (0, 0, 0),
    "bold-italic": (0x1D468, 0x1D482, 0x1D7CE),
    "script": (0x1D49C, 0x1D4B6, 0),
    "fraktur": (0x1D504, 0x1D51E, 0),
    "double-struck": (0x1D538, 0x1D552, 0x1D7D8),
    "sans-serif": (0x1D5A0, 0x1D5BA, 0x1D7E2),
    "sans-serif-italic": (0x1D608, 0x1D622, 0x1D7E2),
    "monospace": (0x1D670, 0x1D68A, 0x1D7F6),
}

_ELSEWHERE: dict[str, dict[str, str]] = {  # letters Unicode had before the mathematical block
    "script": dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True)),
    "fraktur": dict(zip("CHIRZ", "ℭℌℑℜℨ", strict=True)),
    "double-struck": dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)),
}


def styled(text: str, variant: str) -> str:
    """Write ASCII letters and digits in a style; other characters stay."""
    return "".join(_styled_character(character, variant) for character in text)


def _styled_character(character: str, variant: str) -> str:
    capital, small, digit = _BASES.get(variant, (0, 0, 0))
    elsewhere = _ELSEWHERE.get(variant, {})
    if character in elsewhere:
        return elsewhere[character]
    if capital and "A" <= character <= "Z":
        return chr(capital + ord(character) - ord("A"))
    if small and "a" <= character <= "z":
        return chr(small + ord(character) - ord("a"))
    if digit and "0" <= character <= "9":
        return chr(digit + ord(character) - ord("0"))
    return character

// rules.md 4.3  refused: rules.md has no section 4.3
// rules.md 4.1 and 5  refused: rules.md has no section 5
// rules.md 4, 4.9  refused: rules.md has no section 4.9
// missing.md 4  refused: there is no missing.md

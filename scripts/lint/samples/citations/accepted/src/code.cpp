// rules.md 4, rules.md 4.1 and 4.2, or rules.md; (rules.md 4.2: why), rules.md 4.1 to 4.2

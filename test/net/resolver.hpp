#pragma once

namespace molecule::test {

/// The test program has its own `getaddrinfo`, which libcurl finds before the system's:
/// - `both.test` has the addresses ::1 and 127.0.0.1, in this order,
/// - `two.test` has 127.0.0.2 and 127.0.0.1,
/// - `missing.test` has none,
/// - `stalled.test` does not return before `release_resolver` (or 5 s),
/// - other names are the system's.
void stall_resolver();
void release_resolver();

/// How many look-ups of `stalled.test` have begun since `stall_resolver`.
int stalled_lookups();

}  // namespace molecule::test

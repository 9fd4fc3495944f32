#pragma once

namespace molecule::test {

/// Replaces `getaddrinfo` in the test program; libcurl finds it before libc's:
/// - `both.test` resolves to ::1 and 127.0.0.1, in this order;
/// - `two.test` resolves to 127.0.0.2 and 127.0.0.1;
/// - `missing.test` does not resolve;
/// - `stalled.test` blocks until `release_resolver` (at most 5 s);
/// - other names are passed to libc.
void stall_resolver();
void release_resolver();

/// The number of lookups of `stalled.test` started since `stall_resolver`.
int stalled_lookups();

}  // namespace molecule::test

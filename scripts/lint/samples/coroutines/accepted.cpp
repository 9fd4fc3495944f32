// Code that the rules must accept.
awaitable<int> statement_level() {
  auto value = co_await read();
  value = co_await read();
  co_await pause();
  if (auto other = co_await read(); other > 0) co_return other;
  if (value > 0) {
    co_await pause();
  }
  co_return co_await read();
}

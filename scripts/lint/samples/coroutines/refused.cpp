// Code that the rules must reject; `./check` fails if a rule matches nothing here.
awaitable<int> await_in_condition() {
  if (co_await ready()) co_return 1;
  co_return 0;
}
awaitable<int> await_in_ternary() { co_return flag ? co_await a() : 0; }
awaitable<void> await_of_temporary() { co_await send({.url = u}); }
awaitable<void> await_of_choice() { co_await send(flag ? "" : name()); }
awaitable<void> await_of_lambda() { co_await run([x] { return x; }); }
awaitable<void> await_in_catch() {
  try {
    f();
  } catch (...) {
    co_await g();
  }
}
awaitable<Pair> co_return_braces() { co_return {1, 2}; }
void detached() { co_spawn(loop, task(), asio::detached); }
void lambda_coroutine() {
  auto f = []() -> awaitable<void> { co_await g(); };
}
void blocking_call() { std::this_thread::sleep_for(1s); }
int throwing_number_parse() { return std::stoi(text); }
void default_capture() {
  asio::post(loop, [&] { f(); });
}

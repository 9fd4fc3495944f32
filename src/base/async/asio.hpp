#pragma once

// The only file that names Asio's experimental parts, so that a newer Asio needs one change.

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace molecule {

template <class T>
using awaitable = asio::awaitable<T>;

/// Completion token: `auto [ec, n] = co_await stream.async_read_some(buffer, as_tuple);`
inline constexpr auto as_tuple = asio::experimental::as_tuple(asio::use_awaitable);

}  // namespace molecule

#pragma once

#include <string>
#include <string_view>

#include "base/text/time.hpp"
#include "platform/error.hpp"

namespace molecule::workspace {

/// What keeps a workspace from receiving messages or from being online, for agents and people.
struct Trouble {
  /// What fails, one line without secrets.
  std::string what;
  /// When it failed first; it has not succeeded since.
  WallTime since;
  /// What to do about it, whole sentences.
  std::string next;
};

/// All of it in one line: "GET /… answered 503: …, since 2026-05-01T10:00:00Z. Wait: …".
std::string describe(const Trouble& trouble);

/// What to do about a call of the background that failed; of a rejection, which needs to know more,
/// the general advice.
std::string_view advice(const platform::Error& error);

}  // namespace molecule::workspace

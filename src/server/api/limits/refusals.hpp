#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace molecule::server {

/// What limits refused. The log says each once: kind and workspace or address, never what was sent.
class Refusals {
 public:
  /// Counts a refusal of `kind` ("messages", "rate", …) that concerns `workspace_id`.
  void count(std::string_view kind, std::string_view workspace_id);
  /// Counts one of a request without a right credential that came from `client`.
  void count_client(std::string_view client);

  /// Refusals of each kind since the start.
  const std::map<std::string, std::uint64_t, std::less<>>& counts() const { return counts_; }

 private:
  void add(std::string_view kind);

  std::map<std::string, std::uint64_t, std::less<>> counts_;
  std::set<std::pair<std::string, std::string>> logged_;
  std::set<std::string, std::less<>> logged_clients_;
};

}  // namespace molecule::server

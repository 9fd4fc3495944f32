#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace molecule::bench {

/// A workspace of the platform under load.
struct Agent {
  std::string id;
  std::string token;
  /// The newest message that it has fetched; empty: it asks for the last half minute.
  std::string cursor = {};
};

/// What an agent asks for.
enum class Work { health, poll, heartbeat, message };

std::vector<Agent> read_agents(const std::filesystem::path& file);
void write_agents(const std::filesystem::path& file, const std::vector<Agent>& agents);

/// The whole HTTP request of one agent; a message goes to `target`. `number` must be new for each
/// message.
std::string request_of(Work work, const Agent& agent, const Agent& target, std::uint64_t number,
                       std::uint16_t port);
/// Asks for the newest message, of which `newest_message` tells.
std::string newest_request(const Agent& agent, std::uint16_t port);
std::string newest_message(std::string_view answer);
std::string stream_request(const Agent& agent, std::uint16_t port);
std::string create_request(std::uint64_t number, std::string_view admin_token, std::uint16_t port);
/// The workspace that an answer to `create_request` tells of.
Agent created_agent(std::string_view answer);

}  // namespace molecule::bench

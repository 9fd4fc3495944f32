#include "message_ids.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "molecule/base/random.hpp"

namespace molecule::tools {

std::string derived_uuid(std::string_view first, std::string_view second) {
  // The length before the first text: where it ends is part of what is hashed.
  std::string input = std::to_string(first.size()) + ':';
  input += first;
  input += second;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(input.data(), input.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0FU) | 0x80U);
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3FU) | 0x80U);
  std::string uuid = fmt::format("{:02x}", fmt::join(digest.begin(), digest.begin() + 16, ""));
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) uuid.insert(dash, 1, '-');
  return uuid;
}

std::string MessageIds::id_for(std::string_view peer, std::string_view task,
                               std::string_view tool_use_id, Clock::time_point now) {
  lost_.remove_if([now](const Lost& lost) { return now - lost.since >= repeat_window; });
  for (auto lost = lost_.begin(); lost != lost_.end(); ++lost) {
    if (lost->peer != peer || lost->task != task) continue;
    std::string id = std::move(lost->id);
    lost_.erase(lost);
    return id;
  }
  if (tool_use_id.empty()) return random_uuid();
  return derived_uuid(tool_use_id, std::string(peer) + ' ' + std::string(task));
}

void MessageIds::lost(std::string peer, std::string task, std::string id, Clock::time_point now) {
  lost_.push_back({std::move(peer), std::move(task), std::move(id), now});
}

}  // namespace molecule::tools

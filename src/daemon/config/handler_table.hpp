#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json/reader.hpp"
#include "daemon/config/settings.hpp"

namespace molecule::daemon {

/// Applies the keys of a table to `settings`. `home` is for paths that begin with `~/`. Problems
/// name the key after `place`.
void apply_table(json::Value table, const std::string& place, const std::filesystem::path& home,
                 HandlerSettings& settings, std::vector<std::string>& problems);

/// What is missing in a complete configuration, after `place`.
void check_complete(const HandlerSettings& settings, const std::string& place,
                    std::vector<std::string>& problems);

/// The settings as lines of TOML.
std::string to_toml(const HandlerSettings& settings);

/// True for a URL that a webhook may have: https, or http on this machine.
bool is_webhook_url(std::string_view url);

}  // namespace molecule::daemon

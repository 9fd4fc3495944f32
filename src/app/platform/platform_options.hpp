#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace molecule::app {

/// What molecule-platform is asked to do, by its arguments and its environment.
struct PlatformOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::filesystem::path data;
  std::vector<std::string> allowed_hosts;
  /// ADMIN_TOKEN; empty: the one in the data folder.
  std::string admin_token;
  /// CORS_ORIGINS, or what it stands for when unset.
  std::vector<std::string> origins;
  /// EXTERNAL_PLATFORM_URL without slashes at the end; empty: as each request came.
  std::string external_url;
};

/// The program's end: what to print where, and the exit code.
struct Exit {
  int code = 0;
  std::string out;
  std::string err;
};

/// Options, or the end after --help, --version (0) and for wrong usage (2).
std::variant<PlatformOptions, Exit> parse_platform_options(int argc, char** argv);

/// `HOST:PORT`, with brackets round an IPv6 address; false for anything else. The host must be an
/// address or `localhost`.
bool parse_listen(std::string_view text, PlatformOptions& options);

/// The host as it stands in a URL.
std::string url_host(std::string_view host);

}  // namespace molecule::app

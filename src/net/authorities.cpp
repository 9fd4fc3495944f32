#include "net/authorities.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/files/paths.hpp"

namespace molecule::net {

namespace {

constexpr const char* system_folder = "/etc/ssl/certs";

/// Debian's, Fedora's, openSUSE's, and the one of Alpine and macOS. A program that was not built
/// for the distribution it runs on has no built-in choice that exists there.
constexpr std::array bundles{"/etc/ssl/certs/ca-certificates.crt",
                             "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                             "/etc/ssl/cert.pem"};

/// A configured path. `~/` is expanded here, because no shell does it for a service or an agent
/// host. Relative paths are left to OpenSSL, as in other programs.
std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return "";
  const char* home = std::getenv("HOME");
  const std::string_view path = value;
  if (!path.starts_with("~/") || home == nullptr) return value;
  const auto written_out = files::configured_path(path, home);
  return written_out ? written_out->string() : value;
}

/// OpenSSL finds a certificate in a folder only by its hashed name, e.g. `5ed36f99.0`.
bool has_hashed_names(const std::filesystem::path& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    const bool hashed = name.size() == 10 && name.ends_with(".0") &&
                        name.find_first_not_of("0123456789abcdef") == 8;
    if (hashed) return true;
  }
  return false;
}

Authorities system_authorities() {
  Authorities chosen;
  if (has_hashed_names(system_folder)) {
    chosen.folder = system_folder;
    return chosen;
  }
  const auto* const bundle = std::ranges::find_if(bundles, [](const char* file) {
    std::error_code error;
    return std::filesystem::is_regular_file(file, error);
  });
  if (bundle == bundles.end()) {
    chosen.standard = true;
  } else {
    chosen.file = *bundle;
  }
  return chosen;
}

}  // namespace

Authorities authorities() {
  Authorities chosen;
  chosen.file = variable("CURL_CA_BUNDLE");
  if (!chosen.file.empty()) return chosen;
  chosen.file = variable("SSL_CERT_FILE");
  chosen.folder = variable("SSL_CERT_DIR");
  if (!chosen.file.empty() || !chosen.folder.empty()) return chosen;
  static const Authorities of_system = system_authorities();
  return of_system;
}

}  // namespace molecule::net

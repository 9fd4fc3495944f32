#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "app/platform/platform_options.hpp"
#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "server/store/database.hpp"

namespace molecule::app {

// The one-time links with which a person's browser logs in (page.md 1).

/// The URL at which a browser reaches the platform: the operator's, or that of its socket.
std::string own_url(const PlatformOptions& options, std::uint16_t port);

/// Stores a code; returns the link that uses it. Throws `StoreError`.
awaitable<std::string> make_login_link(server::store::Database& store, Clock& clock,
                                       std::string url);

/// False in a build without the page, which nobody can log in to.
bool has_page();

/// Says on stderr how to log in.
void print_login_link(std::string_view link);

/// The command `login-link`: prints a new link of the platform that runs on the data folder.
/// Returns the exit code.
int print_new_login_link(const PlatformOptions& options);

/// Opens the store that the options name. Throws `StoreError`.
std::unique_ptr<server::store::Database> open_store(const PlatformOptions& options,
                                                    const std::filesystem::path& file);

/// Tells `login-link` where the platform is reached, as long as it runs.
class AddressFile {
 public:
  AddressFile(const std::filesystem::path& data, std::string_view url);
  AddressFile(const AddressFile&) = delete;
  AddressFile& operator=(const AddressFile&) = delete;
  ~AddressFile();

 private:
  std::filesystem::path file_;
};

}  // namespace molecule::app

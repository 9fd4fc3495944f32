#include "app/platform/login_link.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>

#include "app/platform/data_folder.hpp"
#include "base/async/tasks.hpp"
#include "base/files/files.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "server/access/sessions.hpp"
#include "server/page/page.hpp"
#include "server/store/store_error.hpp"

namespace molecule::app {

namespace {

awaitable<void> print_link(server::store::Database& store, Clock& clock, std::string url,
                           bool& printed) {
  const std::string link = co_await make_login_link(store, clock, std::move(url));
  printed = output::print(link + "\n");
}

}  // namespace

std::string own_url(const PlatformOptions& options, std::uint16_t port) {
  if (!options.external_url.empty()) return options.external_url;
  std::string host = url_host(options.host);
  // These mean every address of the machine, which is none that a browser could go to.
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "[::]") host = "[::1]";
  return fmt::format("http://{}:{}", host, port);
}

awaitable<std::string> make_login_link(server::store::Database& store, Clock& clock,
                                       std::string url) {
  const std::unique_ptr<server::store::Session> session = store.session();
  co_await session->begin();
  const std::string code = co_await server::mint_login_code(*session, to_micros(clock.wall()));
  co_await session->commit();
  co_return url + "/login?code=" + code;
}

void print_login_link(std::string_view link) {
  const std::string line = fmt::format(
      "log in: {}\n(valid for 10 minutes, once; `molecule-platform login-link` prints "
      "another)\n",
      link);
  // Ignore write errors: nobody listens.
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

std::unique_ptr<server::store::Database> open_store(const PlatformOptions& options,
                                                    const std::filesystem::path& file) {
  if (options.store.empty()) return server::store::open(file);
  return server::store::open_server(options.store, options.store_password,
                                    options.store_connections);
}

bool has_page() {
  return !server::page::files().empty();
}

int print_new_login_link(const PlatformOptions& options) {
  if (!has_page()) {
    log::error("this program was built without the page that one logs in to");
    return 1;
  }
  const std::filesystem::path& data = options.data;
  const auto address = files::read(DataFolder::address_file(data));
  if (!DataFolder::is_used(data) || !address) {
    log::error("no molecule-platform runs on {}: start it, or name its folder with --data",
               data.string());
    return 1;
  }
  asio::io_context loop{1};
  SystemClock clock;
  bool printed = false;
  try {
    const auto store = open_store(options, data / "platform.db");
    asio::co_spawn(loop, print_link(*store, clock, std::string(text::trim(*address)), printed),
                   [](const std::exception_ptr& error) {
                     if (error) std::rethrow_exception(error);
                   });
    loop.run();
  } catch (const server::StoreError& error) {
    log::error("{}: {}", options.store.empty() ? data.string() : "--store", error.what());
    return 1;
  }
  return printed ? 0 : 1;
}

AddressFile::AddressFile(const std::filesystem::path& data, std::string_view url)
    : file_(DataFolder::address_file(data)) {
  const auto written = files::replace(file_, std::string(url) + "\n");
  if (!written) log::warning("login-link will not work: {}", written.error().message);
}

AddressFile::~AddressFile() {
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

}  // namespace molecule::app

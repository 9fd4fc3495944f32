#include "server/store/postgres/connection/store_url.hpp"

#include <fmt/format.h>

#include "server/store/postgres/connection/libpq_api.hpp"
#include "server/store/store_error.hpp"

namespace molecule::server::store::postgres {

namespace {

std::string value_of(const Parameters& parameters, const std::string& name,
                     const std::string& other) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? other : found->second;
}

[[noreturn]] void refuse(const std::string& text) {
  throw StoreError(StoreError::Kind::failed, text);
}

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { libpq().conninfoFree(options); }
};

}  // namespace

bool is_store_url(std::string_view text) {
  return text.starts_with("postgres://") || text.starts_with("postgresql://");
}

Parameters read_store_url(std::string_view url, const std::optional<std::string>& password) {
  const std::string text(url);
  // libpq's own text repeats the URL, which may have a password in it.
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(
      libpq().conninfoParse(text.c_str(), nullptr));
  if (!options)
    refuse("the store's URL is not postgres://[USER@]HOST[:PORT]/DATABASE[?NAME=VALUE]");
  Parameters parameters;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) parameters[option->keyword] = option->val;
  }
  if (parameters.contains("password") || parameters.contains("sslpassword")) {
    refuse(
        "the store's URL has a password in it, which others could read: put it into the file that "
        "PGPASSFILE names (HOST:PORT:DATABASE:USER:PASSWORD, mode 0600), or into the credential "
        "STORE_PASSWORD");
  }
  if (password) parameters["password"] = *password;
  parameters.try_emplace("application_name", "molecule-platform");
  parameters.try_emplace("client_encoding", "UTF8");
  // Negotiating it takes a round trip more, and looks for tickets on the disk.
  parameters.try_emplace("gssencmode", "disable");
  parameters.try_emplace("connect_timeout", "10");
  parameters.try_emplace("tcp_user_timeout", "15000");
  // Of several hosts, the one that takes writes.
  parameters.try_emplace("target_session_attrs", "read-write");
  return parameters;
}

std::string describe(const Parameters& parameters) {
  return fmt::format("database {} at {}", value_of(parameters, "dbname", "(the user's)"),
                     value_of(parameters, "host", value_of(parameters, "hostaddr", "(local)")));
}

}  // namespace molecule::server::store::postgres

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace molecule::server::store::postgres {

/// True for what names a PostgreSQL server: `postgres://…` or `postgresql://…`.
bool is_store_url(std::string_view text);

/// libpq's parameters of a connection by name, such as host, port, dbname and sslmode.
using Parameters = std::map<std::string, std::string>;

/// Reads the URL, and adds what this program needs and what the URL leaves open. `password` is that
/// of a credential; without one libpq looks into PGPASSFILE. Throws `StoreError`, also for a URL
/// with a password in it.
Parameters read_store_url(std::string_view url, const std::optional<std::string>& password);

/// "database x at host:port", for logs and errors.
std::string describe(const Parameters& parameters);

}  // namespace molecule::server::store::postgres

#include "server/store/postgres/connection/job.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.hpp"

namespace molecule::server::store::postgres {

namespace {

// Of PostgreSQL's catalog; they never change.
constexpr Oid boolean_type = 16;
constexpr Oid integer_type = 20;
constexpr Oid text_type = 25;
constexpr Oid number_type = 701;

Oid type_of(const Value& value) {
  switch (value.type) {
    case Value::Type::text:
      return text_type;
    case Value::Type::integer:
      return integer_type;
    case Value::Type::number:
      return number_type;
    case Value::Type::boolean:
      return boolean_type;
  }
  return text_type;
}

/// PostgreSQL's texts cannot contain a NUL: it becomes the character that stands for what cannot be
/// shown.
std::string storable(std::string_view text) {
  std::string copy;
  copy.reserve(text.size());
  for (const char c : text) {
    if (c == '\0') {
      copy += "\xEF\xBF\xBD";
    } else {
      copy += c;
    }
  }
  return copy;
}

std::optional<std::string> spell(const Value& value) {
  if (value.is_null) return std::nullopt;
  switch (value.type) {
    case Value::Type::text:
      return value.text.find('\0') == std::string_view::npos ? std::string(value.text)
                                                             : storable(value.text);
    case Value::Type::integer:
      return std::to_string(value.integer);
    case Value::Type::number:
      return fmt::format("{}", value.number);
    case Value::Type::boolean:
      return value.integer != 0 ? "t" : "f";
  }
  return std::nullopt;
}

/// Whether the same may succeed if it is tried again, by PostgreSQL's code of the error.
StoreError::Kind kind_of(std::string_view code) {
  // Another transaction was in the way: a lock, a deadlock, or a row with the same key.
  for (const std::string_view conflict : {"40001", "40P01", "55P03", "23505", "23503"}) {
    if (code == conflict) return StoreError::Kind::conflict;
  }
  // Connections, resources, shutdowns and cancelled statements, and a server that takes no writes.
  for (const std::string_view later : {"08", "53", "57", "58"}) {
    if (code.starts_with(later)) return StoreError::Kind::unavailable;
  }
  return code == "25006" || code.empty() ? StoreError::Kind::unavailable : StoreError::Kind::failed;
}

std::string_view field(const PGresult* result, int name) {
  const char* text = libpq().resultErrorField(result, name);
  return text != nullptr ? text : "";
}

}  // namespace

Statement::Statement(std::string_view text, std::span<const Value> all) : sql(text) {
  types.reserve(all.size());
  values.reserve(all.size());
  for (const Value& value : all) {
    types.push_back(type_of(value));
    values.push_back(spell(value));
  }
}

awaitable<void> Job::wait(std::shared_ptr<Job> job) {
  while (!job->done) {
    [[maybe_unused]] auto [woken] = co_await job->changed.async_wait(as_tuple);
  }
}

awaitable<void> Job::finish(std::shared_ptr<Job> job) {
  co_await wait(job);
  if (job->error) throw StoreError(*job->error);
}

StoreError result_error(const PGresult* result) {
  // Not its detail, which quotes rows.
  const std::string_view code = field(result, PG_DIAG_SQLSTATE);
  return {kind_of(code), fmt::format("PostgreSQL: {} ({})",
                                     text::one_line(field(result, PG_DIAG_MESSAGE_PRIMARY)), code)};
}

}  // namespace molecule::server::store::postgres

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"

namespace molecule::server::store {

/// The source of an engine's rows. Views are valid until the next row.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// For `Rows`: never waits.
  virtual bool next() = 0;
  /// For `RowStream`.
  virtual awaitable<bool> fetch() = 0;
  virtual std::string_view text(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double number(int column) const = 0;
  virtual bool boolean(int column) const = 0;
  virtual bool is_null(int column) const = 0;
};

/// The current row. Columns count from 0; a NULL reads as an empty string or as 0.
class Row {
 public:
  explicit Row(std::unique_ptr<RowSource> source) : source_(std::move(source)) {}

  std::string_view text(int column) const { return source_->text(column); }
  std::string string(int column) const { return std::string(text(column)); }
  std::int64_t integer(int column) const { return source_->integer(column); }
  double number(int column) const { return source_->number(column); }
  bool boolean(int column) const { return source_->boolean(column); }
  bool is_null(int column) const { return source_->is_null(column); }
  std::optional<std::string> optional_string(int column) const {
    if (is_null(column)) return std::nullopt;
    return string(column);
  }
  std::optional<std::int64_t> optional_integer(int column) const {
    if (is_null(column)) return std::nullopt;
    return integer(column);
  }

 protected:
  std::unique_ptr<RowSource> source_;
};

/// A small result: an engine may hold all of it in memory.
class Rows : public Row {
 public:
  using Row::Row;
  /// False after the last row.
  bool next() { return source_->next(); }
};

/// A result of any size: one row is in memory at a time. The query runs at the first `next`.
class RowStream : public Row {
 public:
  using Row::Row;
  awaitable<bool> next() { return source_->fetch(); }
};

}  // namespace molecule::server::store

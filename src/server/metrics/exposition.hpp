#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "server/metrics/histogram.hpp"

namespace molecule::server {

/// The text format of Prometheus, version 0.0.4, under construction. All values of one name must
/// follow each other.
class Exposition {
 public:
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

  /// Names one value or a group of them; `type` is counter, gauge or histogram.
  void describe(std::string_view name, std::string_view type, std::string_view help);
  /// `labels` are ready to be written between braces, see `label`; empty for none.
  void value(std::string_view name, std::string_view labels, double value);
  void value(std::string_view name, std::string_view labels, std::uint64_t value);
  void histogram(std::string_view name, std::string_view labels, const Histogram& histogram);

  /// `name="value"` with what the format wants escaped.
  static std::string label(std::string_view name, std::string_view value);

  std::string take() && { return std::move(text_); }

 private:
  void start(std::string_view name, std::string_view suffix, std::string_view labels,
             std::string_view more = {});

  std::string text_;
};

}  // namespace molecule::server

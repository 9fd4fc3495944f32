#include "server/metrics/exposition.hpp"

#include <fmt/format.h>

#include <iterator>

namespace molecule::server {

void Exposition::describe(std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void Exposition::start(std::string_view name, std::string_view suffix, std::string_view labels,
                       std::string_view more) {
  text_.append(name).append(suffix);
  if (!labels.empty() || !more.empty()) {
    const bool both = !labels.empty() && !more.empty();
    text_.append("{").append(labels).append(both ? "," : "").append(more).append("}");
  }
  text_ += ' ';
}

void Exposition::value(std::string_view name, std::string_view labels, double value) {
  start(name, "", labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void Exposition::value(std::string_view name, std::string_view labels, std::uint64_t value) {
  start(name, "", labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void Exposition::histogram(std::string_view name, std::string_view labels,
                           const Histogram& histogram) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < histogram.bounds().size(); ++i) {
    below += histogram.in_bucket(i);
    start(name, "_bucket", labels, fmt::format("le=\"{}\"", histogram.bounds()[i]));
    fmt::format_to(std::back_inserter(text_), "{}\n", below);
  }
  start(name, "_bucket", labels, "le=\"+Inf\"");
  fmt::format_to(std::back_inserter(text_), "{}\n", histogram.count());
  start(name, "_sum", labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", histogram.sum());
  start(name, "_count", labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", histogram.count());
}

std::string Exposition::label(std::string_view name, std::string_view value) {
  std::string text(name);
  text += "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? ' ' : c;
  }
  return text + '"';
}

}  // namespace molecule::server

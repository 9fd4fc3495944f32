#include "cli/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json/writer.hpp"
#include "base/output.hpp"
#include "base/text/text.hpp"
#include "cli/output/terminal.hpp"

namespace molecule::cli {

namespace {

using Status = Check::Status;

std::string_view word(Status status) {
  switch (status) {
    case Status::ok:
      return "OK";
    case Status::warn:
      return "WARN";
    case Status::fail:
      break;
  }
  return "FAIL";
}

std::string_view colour(Status status) {
  switch (status) {
    case Status::ok:
      return "\x1B[32m";
    case Status::warn:
      return "\x1B[33m";
    case Status::fail:
      break;
  }
  return "\x1B[31m";
}

std::string counted(std::ptrdiff_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

}  // namespace

void Report::show(std::string_view text) {
  // Logged once; then nothing more is printed.
  if (!failed_) failed_ = !output::print(text);
}

Report::Report(Form form) : form_(form), terminal_(form == Form::text && writes_to_terminal()) {}

void Report::begin_workspace(std::string_view id, bool heading) {
  workspace_ = id;
  if (!heading || form_ == Form::json) return;
  forget_waiting();
  show(fmt::format("\nworkspace {}\n", id));
}

void Report::add(Check check) {
  check.detail = text::one_line(check.detail);
  if (form_ == Form::text) print(check);
  entries_.push_back({.check = std::move(check), .workspace = workspace_});
}

void Report::print(const Check& check) {
  forget_waiting();
  const std::string tag = fmt::format("[{}]", word(check.status));
  const bool coloured = wants_colour();
  std::string text =
      fmt::format("{}{}{}{:{}} {:<14} {}\n", coloured ? colour(check.status) : "", tag,
                  coloured ? "\x1B[0m" : "", "", 6 - tag.size(), check.name, check.detail);
  if (!check.next.empty()) text += fmt::format("{:22}→ {}\n", "", check.next);
  show(text);
}

void Report::waiting_for(std::string_view what) {
  if (!terminal_) return;
  forget_waiting();
  show(fmt::format("       {} …", what));
  waiting_ = true;
}

void Report::forget_waiting() {
  if (std::exchange(waiting_, false)) show("\r\x1B[K");
}

bool Report::finish() {
  const auto count = [this](Status status) {
    return std::count_if(entries_.begin(), entries_.end(),
                         [status](const Entry& entry) { return entry.check.status == status; });
  };
  const bool ok = count(Status::fail) == 0;
  if (form_ == Form::json) {
    show(to_json(ok) + "\n");
    return ok && !failed_;
  }
  forget_waiting();
  const std::ptrdiff_t warnings = count(Status::warn);
  show(fmt::format("\n{}{}\n", ok ? "no failures" : counted(count(Status::fail), "failure"),
                   warnings > 0 ? ", " + counted(warnings, "warning") : ""));
  return ok && !failed_;
}

std::string Report::to_json(bool ok) const {
  json::Writer writer;
  {
    auto object = writer.object();
    object.field("ok", ok);
    auto list = object.array("checks");
    for (const Entry& entry : entries_) {
      auto item = list.object();
      if (!entry.workspace.empty()) item.field("workspace", entry.workspace);
      item.field("name", entry.check.name);
      item.field("status", word(entry.check.status));
      item.field("detail", entry.check.detail);
      item.field("next", entry.check.next);
    }
  }
  return std::move(writer).take();
}

}  // namespace molecule::cli

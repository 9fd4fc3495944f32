#include "cli/setup/config_writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/files/files.hpp"
#include "base/json/reader.hpp"
#include "base/text/text.hpp"
#include "base/toml.hpp"
#include "cli/install/edited_file.hpp"
#include "cli/install/toml_edit.hpp"
#include "workspace/config/config_file.hpp"

namespace molecule::cli {

namespace {

constexpr std::string_view heading =
    "# Written by `molecule-mcp setup`, and yours to edit: every command reads it, and variables "
    "of\n"
    "# the environment win over it. Tokens do not belong here.\n";

std::string entry_text(const NewEntry& entry) {
  std::string out = fmt::format("[[workspace]]\nid = {}\nurl = {}\n", toml_quoted(entry.id),
                                toml_quoted(entry.url));
  if (!entry.name.empty()) out += fmt::format("name = {}\n", toml_quoted(entry.name));
  if (!entry.description.empty()) {
    out += fmt::format("description = {}\n", toml_quoted(entry.description));
  }
  return out + fmt::format("token_file = {}\n", toml_quoted(entry.token_file.string()));
}

/// The text without the `[[workspace]]` of that id.
Result<std::string, std::string> without_entry(std::string_view text, const std::string& id) {
  auto json = toml_to_json(text);
  if (!json.ok()) return Failure{std::move(json.error())};
  json::Document document;
  if (!document.parse(*json).ok()) return Failure{std::string("it cannot be read")};
  std::vector<std::size_t> gone;
  const auto entries = document.root()["workspace"].items();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (text::equal_ignoring_case(entries[i]["id"].string_or(""), id)) gone.push_back(i);
  }
  return remove_toml_items(text, {"workspace"}, gone);
}

}  // namespace

Result<void, std::string> check_config(const workspace::Environment& environment) {
  const std::filesystem::path path = workspace::config_folder(environment) / "config.toml";
  auto file = EditedFile::open(path);
  if (!file.ok()) return Failure{std::move(file.error())};
  if (auto valid = toml_to_json(file->before()); !valid.ok()) {
    return Failure{fmt::format("{} cannot be parsed: {}", path.string(), std::move(valid.error()))};
  }
  if (auto made = files::make_private_folder(path.parent_path()); !made.ok()) {
    return Failure{std::move(made.error().message)};
  }
  const std::filesystem::path folder = file->path().parent_path();
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return Failure{
        fmt::format("{} cannot be written to: {}", folder.string(), std::strerror(errno))};
  }
  return {};
}

Result<std::filesystem::path, std::string> write_config(const workspace::Environment& environment,
                                                        const NewEntry& entry) {
  const std::filesystem::path path = workspace::config_folder(environment) / "config.toml";
  auto file = EditedFile::open(path);
  if (!file.ok()) return Failure{std::move(file.error())};
  auto text = without_entry(file->before(), entry.id);
  if (!text.ok()) {
    return Failure{fmt::format("{} was not touched, because it cannot be parsed: {}", path.string(),
                               text.error())};
  }
  if (text->empty()) *text = heading;
  if (!text->ends_with('\n')) *text += '\n';
  *text += '\n' + entry_text(entry);
  if (auto valid = toml_to_json(*text); !valid.ok()) {
    return Failure{fmt::format("{} was not touched: {}", path.string(), valid.error())};
  }
  if (auto made = files::make_private_folder(path.parent_path()); !made.ok()) {
    return Failure{std::move(made.error().message)};
  }
  if (auto written = files::replace(file->path(), *text); !written.ok()) {
    return Failure{std::move(written.error().message)};
  }
  return path;
}

}  // namespace molecule::cli

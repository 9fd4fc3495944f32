#include "mcp/revision.hpp"

#include <array>

#include "molecule/base/json_writer.hpp"

namespace molecule::mcp {

namespace {

constexpr std::array<std::string_view, revision_count> names{"2024-11-05", "2025-03-26",
                                                             "2025-06-18", "2025-11-25"};

json::Value version_member(const Message& message) {
  return message.params["_meta"]["io.modelcontextprotocol/protocolVersion"];
}

}  // namespace

std::string_view name_of(Revision revision) {
  return names.at(static_cast<std::size_t>(revision));
}

std::string revision_names() {
  json::Writer writer;
  {
    auto list = writer.array();
    for (const std::string_view name : names) list.value(name);
  }
  return std::move(writer).take();
}

Revision negotiate(std::string_view requested) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names.at(i) == requested) return static_cast<Revision>(i);
  }
  return newest_revision;
}

Era era_of(const Message& message) {
  if (message.method == "initialize") return Era::initialize;
  return version_member(message).present() ? Era::stateless : Era::initialize;
}

std::string_view requested_version(const Message& message) {
  return version_member(message).string_or({});
}

}  // namespace molecule::mcp

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "base/json/writer.hpp"
#include "mcp/wire/encode.hpp"

namespace molecule::mcp::encode {

namespace {

/// The limit for values in an answer to `completion/complete` (CompleteResult).
constexpr std::size_t max_completions = 100;

/// RFC 4648, section 4.
std::string base64(std::string_view bytes) {
  static constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = (bits << 8U) | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= group.size() ? alphabet[(bits >> (18U - 6U * k)) & 63U] : '=';
    }
  }
  return out;
}

void write_contents(json::Object& entry, const ResourceContents& contents, std::string_view uri) {
  entry.field("uri", contents.uri.empty() ? uri : std::string_view(contents.uri));
  if (!contents.mime_type.empty()) entry.field("mimeType", contents.mime_type);
  if (contents.binary) {
    entry.field("blob", base64(contents.data));
  } else {
    entry.field("text", contents.data);
  }
}

/// Writes the members of one content block.
struct BlockWriter {
  json::Object& block;
  Revision revision;

  void operator()(const TextContent& content) const {
    block.field("type", "text");
    block.field("text", content.text);
  }
  void operator()(const ImageContent& content) const {
    write_media("image", content.data, content.mime_type);
  }
  void operator()(const AudioContent& content) const {
    if (has_audio(revision)) return write_media("audio", content.data, content.mime_type);
    (*this)(TextContent{.text = "[audio: " + content.mime_type + "]"});
  }
  void operator()(const EmbeddedResource& content) const {
    block.field("type", "resource");
    auto resource = block.object("resource");
    write_contents(resource, content.resource, {});
  }
  void operator()(const ResourceLink& content) const {
    if (!has_resource_links(revision)) return (*this)(TextContent{.text = content.uri});
    block.field("type", "resource_link");
    block.field("uri", content.uri);
    block.field("name", content.name);
    if (!content.title.empty()) block.field("title", content.title);
    if (!content.description.empty()) block.field("description", content.description);
    if (!content.mime_type.empty()) block.field("mimeType", content.mime_type);
  }

 private:
  void write_media(std::string_view type, std::string_view data, std::string_view mime) const {
    block.field("type", type);
    block.field("data", base64(data));
    block.field("mimeType", mime);
  }
};

void write_content(json::Array& list, const ToolResult& result, std::string_view structured,
                   Revision revision) {
  const bool only_structured = result.text.empty() && result.content.empty();
  const std::string_view text = only_structured ? structured : std::string_view(result.text);
  if (!text.empty() || result.content.empty()) {
    auto block = list.object();
    block.field("type", "text");
    block.field("text", text);
  }
  for (const Content& content : result.content) {
    auto block = list.object();
    std::visit(BlockWriter{.block = block, .revision = revision}, content);
  }
}

/// An error need not conform to the output schema, so it is structured only if the tool supplied a
/// structured form.
std::string structured_of(const Tool& tool, const ToolResult& result) {
  if (!result.structured.empty()) return one_line_object(result.structured, "structured content");
  if ((tool.output_schema.empty() && !tool.structured) || result.is_error) return {};
  return one_line_object(result.text, "a result");
}

}  // namespace

std::string tool_result(const Tool& tool, const ToolResult& result, Revision revision) {
  const std::string structured = structured_of(tool, result);
  json::Writer writer;
  {
    auto answer = writer.object();
    {
      auto content = answer.array("content");
      write_content(content, result, structured, revision);
    }
    if (has_structured_content(revision) && !structured.empty()) {
      answer.raw("structuredContent", structured);
    }
    answer.field("isError", result.is_error);
  }
  return std::move(writer).take();
}

std::string read_result(const ReadResult& result, std::string_view uri) {
  json::Writer writer;
  {
    auto answer = writer.object();
    auto contents = answer.array("contents");
    for (const ResourceContents& part : result.contents) {
      auto entry = contents.object();
      write_contents(entry, part, uri);
    }
  }
  return std::move(writer).take();
}

std::string prompt_result(const PromptResult& result, Revision revision) {
  json::Writer writer;
  {
    auto answer = writer.object();
    if (!result.description.empty()) answer.field("description", result.description);
    auto messages = answer.array("messages");
    for (const PromptMessage& part : result.messages) {
      auto message = messages.object();
      message.field("role", part.role == Role::user ? "user" : "assistant");
      auto block = message.object("content");
      std::visit(BlockWriter{.block = block, .revision = revision}, part.content);
    }
  }
  return std::move(writer).take();
}

std::string completion(const Completion& completion) {
  const std::size_t shown = std::min(completion.values.size(), max_completions);
  const auto count = static_cast<std::int64_t>(completion.values.size());
  json::Writer writer;
  {
    auto answer = writer.object();
    auto result = answer.object("completion");
    {
      auto values = result.array("values");
      for (std::size_t i = 0; i < shown; ++i) values.value(completion.values[i]);
    }
    const std::int64_t total = std::max(completion.total.value_or(count), count);
    result.field("total", total);
    result.field("hasMore", total > static_cast<std::int64_t>(shown));
  }
  return std::move(writer).take();
}

std::string input_required(const InputNeeded& needed, std::string_view token) {
  json::Writer writer;
  {
    auto answer = writer.object();
    answer.field("resultType", "input_required");
    {
      auto requests = answer.object("inputRequests");
      for (const InputRequest& request : needed.requests) {
        auto entry = requests.object(request.key);
        entry.field("method", request.method);
        entry.raw("params", one_line_object(request.params, "an input request's params"));
      }
    }
    if (!token.empty()) answer.field("requestState", token);
  }
  return std::move(writer).take();
}

}  // namespace molecule::mcp::encode

#include "server/http/message.hpp"

#include "base/json/writer.hpp"
#include "base/text/text.hpp"

namespace molecule::server {

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (text::equal_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::bearer() const {
  constexpr std::string_view scheme = "Bearer ";
  const std::optional<std::string_view> field = header("Authorization");
  if (!field || !field->starts_with(scheme)) return std::nullopt;
  const std::string_view token = text::trim(field->substr(scheme.size()));
  if (token.empty()) return std::nullopt;
  return token;
}

std::string_view Request::credential() const {
  if (const auto token = bearer()) return *token;
  return header("Cookie").value_or("");
}

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  const auto found = query.find(std::string(name));
  if (found == query.end()) return std::nullopt;
  return found->second;
}

Reply json_reply(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

Reply error_reply(int status, std::string_view text) {
  json::Writer writer;
  writer.object().field("error", text);
  return json_reply(status, std::move(writer).take());
}

Reply text_reply(int status, std::string body) {
  Reply reply = json_reply(status, std::move(body));
  reply.content_type = "text/plain; charset=utf-8";
  return reply;
}

}  // namespace molecule::server

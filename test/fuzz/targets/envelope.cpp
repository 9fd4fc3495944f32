#include "server/api/messages/envelope.hpp"

#include <string>

#include "base/json/reader.hpp"
#include "fuzz/targets.hpp"

namespace molecule::fuzz {

void envelope(std::string_view input) {
  const auto first = server::normalise_envelope(input);
  if (!first.ok()) {
    require(first.error().status == 400, "what is refused is refused with 400");
    molecule::json::Document refusal;
    require(refusal.parse(first.error().body).ok(), "a refusal is JSON");
    return;
  }
  require(first->text.find('\n') == std::string::npos, "an envelope is one line");
  molecule::json::Document document;
  require(document.parse(first->text).ok(), "an envelope is JSON");
  require(document.root()["jsonrpc"].present(), "an envelope has a frame");
  const auto message = document.root()["params"]["message"];
  require(!message.is_object() || message["messageId"].present(), "a message has an id");
  require(!message.is_object() || message["parts"].present(), "a message has parts");

  const auto second = server::normalise_envelope(first->text);
  require(second.ok(), "an envelope is accepted");
  // A control character can be spelled in two ways.
  molecule::json::Document again;
  require(again.parse(second->text).ok() && again.root().dump() == document.root().dump(),
          "an envelope is already in its form");
  require(second->method == first->method, "the method stays");
}

}  // namespace molecule::fuzz

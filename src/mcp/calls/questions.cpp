#include "mcp/calls/questions.hpp"

#include <utility>

#include "base/text/text.hpp"

namespace molecule::mcp {

void Questions::ask(const std::vector<InputRequest>& requests,
                    const std::shared_ptr<Round>& round) {
  for (const InputRequest& request : requests) {
    const std::string params = encode::one_line_object(request.params, "an input request's params");
    output_->send(encode::request(++last_id_, request.method, params));
    open_.emplace(last_id_, Question{.key = request.key, .method = request.method, .round = round});
    ++round->open;
  }
  output_->flush_soon();
}

void Questions::answered(const Message& message, json::Document& document) {
  const auto found = open_.find(message.id_value.integer().value_or(0));
  if (found == open_.end()) return;
  const Question question = std::move(found->second);
  open_.erase(found);
  Round& round = *question.round;
  --round.open;
  if (message.result.is_object()) {
    round.answers.emplace(question.key, std::move(document));
  } else if (!round.refusal) {
    std::string problem = "The host refused `" + question.method + "`";
    const std::string reason = text::sanitize_name(message.error["message"].string_or({}));
    if (!reason.empty()) problem += ": " + reason;
    round.refusal = encode::Error{.code = code::internal_error, .message = std::move(problem)};
  }
  round.changed.notify_all();
}

void Questions::withdraw(const std::shared_ptr<Round>& round) {
  for (auto question = open_.begin(); question != open_.end();) {
    if (question->second.round != round) {
      ++question;
      continue;
    }
    output_->send(encode::notification("notifications/cancelled",
                                       R"({"requestId":)" + std::to_string(question->first) + "}"));
    question = open_.erase(question);
    output_->flush_soon();
  }
}

}  // namespace molecule::mcp

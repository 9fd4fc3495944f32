#include "server/http/limits/unsent_answers.hpp"

#include <string_view>

#include "server/http/http_request.hpp"

namespace molecule::server {

namespace {

Reply too_many() {
  return too_busy("read the answers that are on their way first");
}

}  // namespace

std::optional<Reply> UnsentAnswers::refusal(const Request& request) const {
  if (request.method != "GET") return std::nullopt;
  const std::uint64_t held = bytes_.held_by(request.credential());
  if (held + small < limits_.bytes.one) return std::nullopt;
  return too_many();
}

std::shared_ptr<ByteBudget::Share> UnsentAnswers::hold(const Request& request, Reply& reply) const {
  const std::string_view token = request.credential();
  const bool file = !reply.file.empty();
  if (request.method == "HEAD" || (!file && reply.body.size() <= small)) return nullptr;
  auto share = file ? files_.share(token) : bytes_.share(token);
  const std::uint64_t size = file ? 1 : reply.body.size();
  if (share->grow(size)) return share;
  if (request.method == "GET") {
    reply = too_many();
    return nullptr;
  }
  share->force(size);
  return share;
}

}  // namespace molecule::server

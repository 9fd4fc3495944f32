#pragma once

#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/async/event.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

/// One answer for each workspace of this process, in order; empty for those that are out of use.
template <class Answer>
using Answers = std::vector<std::optional<Answer>>;

/// Pending questions; shared, because they outlive a cancelled call.
template <class Answer>
struct Questions {
  Questions(Clock& clock, std::size_t count) : answered(clock), answers(count) {}
  Event answered;
  Answers<Answer> answers;
  std::size_t left = 0;
};

template <class Answer>
awaitable<void> ask_one(awaitable<Answer> question, std::shared_ptr<Questions<Answer>> questions,
                        std::size_t at) {
  auto answer = co_await std::move(question);
  questions->answers[at] = std::move(answer);
  --questions->left;
  questions->answered.notify_all();
}

/// Asks the platform about all workspaces in use concurrently, so that a slow one does not delay
/// the others.
template <class Answer>
awaitable<Answers<Answer>> ask_all(Services& services, const char* name,
                                   awaitable<Answer> (*ask)(workspace::Workspace& workspace)) {
  workspace::Workspaces& workspaces = services.workspaces;
  const auto count = static_cast<std::size_t>(std::distance(workspaces.begin(), workspaces.end()));
  auto questions = std::make_shared<Questions<Answer>>(services.clock, count);
  std::size_t at = 0;
  for (workspace::Workspace& workspace : workspaces) {
    if (workspace.in_use()) {
      ++questions->left;
      services.tasks.spawn(name, ask_one(ask(workspace), questions, at));
    }
    ++at;
  }
  while (questions->left > 0) co_await questions->answered.wait();
  auto answers = std::move(questions->answers);
  co_return answers;
}

}  // namespace molecule::tools

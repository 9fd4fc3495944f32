#include "base/text/text.hpp"
#include "daemon/runners/runner.hpp"

namespace molecule::daemon {

namespace {

/// A program of the person's: the message on stdin, the answer on stdout.
class Command final : public Runner {
 public:
  Invocation prepare(const Turn& turn) override {
    Invocation invocation;
    invocation.argv = turn.settings.argv;
    if (turn.settings.shell) {
      // The script's own arguments follow its name ($0).
      invocation.argv = {"/bin/sh", "-c", turn.settings.argv.front(), "molecule-handler"};
      invocation.argv.insert(invocation.argv.end(), turn.settings.argv.begin() + 1,
                             turn.settings.argv.end());
    }
    invocation.input = turn.settings.bare_text ? text::sanitize(turn.incoming.message.text)
                                               : message_json(turn.incoming) + "\n";
    return invocation;
  }

  bool take(std::string_view piece) override {
    output_ += piece;
    return output_.size() <= max_answer_bytes;
  }

  TurnResult finish(const Turn& turn, const ChildEnd& end) override {
    const bool good = end.how == ChildEnd::How::exited && end.code == 0;
    if (good) return answered(output_, {});
    Turn without_session = turn;
    without_session.session.reset();
    return failed(without_session, end, {});
  }

 private:
  std::string output_;
};

}  // namespace

std::unique_ptr<Runner> make_command() {
  return std::make_unique<Command>();
}

}  // namespace molecule::daemon

#include "server/store/postgres/rows.hpp"

#include <charconv>
#include <utility>

namespace molecule::server::store::postgres {

namespace {

/// One row of a result, whose values are texts.
class ResultSource : public RowSource {
 public:
  std::string_view text(int column) const override {
    return {libpq().getvalue(result_.get(), row_, column),
            static_cast<std::size_t>(libpq().getlength(result_.get(), row_, column))};
  }
  std::int64_t integer(int column) const override {
    return text(column) == "t" ? 1 : parsed<std::int64_t>(column);
  }
  double number(int column) const override { return parsed<double>(column); }
  bool boolean(int column) const override { return integer(column) != 0; }
  bool is_null(int column) const override {
    return libpq().getisnull(result_.get(), row_, column) != 0;
  }

 protected:
  template <class T>
  T parsed(int column) const {
    const std::string_view value = text(column);
    T number{};
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
  }

  ResultPtr result_;
  int row_ = -1;
};

class WholeResult final : public ResultSource {
 public:
  explicit WholeResult(ResultPtr result) { result_ = std::move(result); }
  bool next() override { return result_ && ++row_ < libpq().ntuples(result_.get()); }
  awaitable<bool> fetch() override { co_return next(); }
};

class StreamedResult final : public ResultSource {
 public:
  StreamedResult(Statement statement, Starter start)
      : statement_(std::move(statement)), start_(std::move(start)) {}
  StreamedResult(const StreamedResult&) = delete;
  StreamedResult& operator=(const StreamedResult&) = delete;
  ~StreamedResult() override {
    if (!job_ || job_->done) return;
    job_->abandoned = true;
    job_->rows.clear();
    if (link_) link_->resume();
  }

  bool next() override { return false; }
  awaitable<bool> fetch() override {
    if (!job_) co_await begin();
    if (result_ && ++row_ < libpq().ntuples(result_.get())) co_return true;
    while (job_->rows.empty() && !job_->done) {
      [[maybe_unused]] auto [woken] = co_await job_->changed.async_wait(as_tuple);
    }
    if (job_->error) throw StoreError(*job_->error);
    result_.reset();
    if (job_->rows.empty()) co_return false;
    result_ = std::move(job_->rows.front());
    job_->rows.pop_front();
    row_ = 0;
    link_->resume();
    co_return true;
  }

 private:
  awaitable<void> begin() {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::vector<Statement> statements;
    statements.push_back(std::move(statement_));
    auto job = std::make_shared<Job>(executor, std::move(statements));
    job->streamed = true;
    link_ = co_await start_(job);
    job_ = std::move(job);
  }

  Statement statement_;
  Starter start_;
  std::shared_ptr<Job> job_;
  std::shared_ptr<Link> link_;
};

}  // namespace

std::unique_ptr<RowSource> whole_result(ResultPtr result) {
  return std::make_unique<WholeResult>(std::move(result));
}

std::unique_ptr<RowSource> streamed_result(Statement statement, Starter start) {
  return std::make_unique<StreamedResult>(std::move(statement), std::move(start));
}

}  // namespace molecule::server::store::postgres

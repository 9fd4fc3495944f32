#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.hpp"
#include "server/store/database.hpp"
#include "support/run.hpp"

namespace molecule::test {

/// A store of its own for a test: a file, or with MOLECULE_TEST_POSTGRES, the folder of a server's
/// socket (scripts/with_postgres.py), a database of that server, which is dropped at the end.
struct TestStore {
  explicit TestStore(const std::filesystem::path& file) {
    const char* socket = std::getenv("MOLECULE_TEST_POSTGRES");
    if (socket == nullptr) {
      opened = server::store::open(file);
      return;
    }
    server = "-h " + std::string(socket) + " -U molecule";
    for (const char c : "t" + random_uuid()) {
      if (c != '-' && c != '\0') name += c;
    }
    psql("CREATE DATABASE " + name);
    opened = server::store::open_server("postgres://molecule@/" + name + "?host=" + socket);
  }
  TestStore(const TestStore&) = delete;
  TestStore& operator=(const TestStore&) = delete;
  ~TestStore() {
    opened.reset();
    if (!name.empty()) psql("DROP DATABASE " + name + " WITH (FORCE)");
  }
  bool on_server() const { return !name.empty(); }
  operator std::unique_ptr<server::store::Database>&() { return opened; }

  std::unique_ptr<server::store::Database> opened;

 private:
  void psql(const std::string& sql) const {
    const std::string command = "psql -X -q " + server + " postgres -c '" + sql + "'";
    if (std::system(command.c_str()) != 0) std::fprintf(stderr, "failed: %s\n", command.c_str());
  }
  std::string server;
  std::string name;
};

/// Access to the rows of a store, past the platform.
struct StoreRows {
  asio::io_context& loop;
  server::store::Database& store;

  void execute(std::string_view sql) {
    const auto session = store.session();
    run(loop, session->begin());
    run(loop, session->execute(sql));
    run(loop, session->commit());
  }
  std::vector<std::vector<std::string>> rows(std::string_view sql, int columns = 1) {
    const auto session = store.session();
    server::store::Rows row = run(loop, session->query(sql));
    std::vector<std::vector<std::string>> found;
    while (row.next()) {
      auto& texts = found.emplace_back();
      for (int column = 0; column < columns; ++column) texts.push_back(row.string(column));
    }
    return found;
  }
  std::int64_t count(std::string_view sql) {
    const auto session = store.session();
    server::store::Rows row = run(loop, session->query(sql));
    return row.next() ? row.integer(0) : 0;
  }
};

}  // namespace molecule::test

#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "base/sqlite/sqlite.hpp"

namespace molecule::server::store {

/// The connections on which the platform reads, while the one that writes waits for the disk.
/// SQLite shows them what is durable, and nothing else: a commit becomes visible after its sync.
class SqliteReaders {
 public:
  explicit SqliteReaders(std::filesystem::path file);

  /// The connection for the next statement. Whoever keeps a statement also keeps its connection.
  std::shared_ptr<molecule::sqlite::Database> current() const { return connections_.front(); }
  /// To be called after each commit, so that whoever reads from now on sees it: a connection with a
  /// statement under way shows all its statements the state at the beginning of that one.
  void refresh();

 private:
  void open();

  std::filesystem::path file_;
  /// The first one is the current one; the others have statements under way, or had.
  std::vector<std::shared_ptr<molecule::sqlite::Database>> connections_;
};

}  // namespace molecule::server::store

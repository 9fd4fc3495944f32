#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/reader.hpp"
#include "base/text/time.hpp"
#include "base/uuid.hpp"
#include "server/access/access.hpp"
#include "server/access/rules.hpp"
#include "server/access/tokens.hpp"
#include "server/api/context.hpp"
#include "server/api/registry/sweep.hpp"
#include "server/api/router.hpp"
#include "server/api/routes.hpp"
#include "server/http/message.hpp"
#include "server/store/database.hpp"
#include "server/test_store.hpp"
#include "support/run.hpp"
#include "support/virtual_clock.hpp"

namespace molecule::test {

/// A folder that is removed by the destructor.
struct Folder {
  /// With a copy of the store, if one is given.
  explicit Folder(const std::filesystem::path& kept_store = {}) {
    std::string pattern = (std::filesystem::temp_directory_path() / "molecule-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path = pattern;
    if (!kept_store.empty()) std::filesystem::copy_file(kept_store, path / "platform.db");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

/// A workspace created by a test, with its token.
struct Member {
  std::string id;
  std::string token;
};

struct Answer {
  int status = 0;
  std::string text;
  std::string content_type;
  json::Document document;
  json::Value operator[](std::string_view key) const { return document.root()[key]; }
  std::vector<json::Value> items() const { return document.root().items(); }
  std::string_view error() const { return (*this)["error"].string_or(""); }
};

/// All routes on a store of their own, called without HTTP.
struct Platform {
  /// On a new store, or on a copy of the given one.
  explicit Platform(const std::filesystem::path& kept_store = {}) : folder(kept_store) {
    std::filesystem::create_directory(services.uploads);
  }

  Member add(std::string_view name, const std::optional<std::string>& parent = std::nullopt,
             std::string_view mode = "poll") {
    Member member{random_uuid(), ""};
    const auto session = store->session();
    run(loop, session->begin());
    run(loop, session->execute(
                  "INSERT INTO workspaces(id, name, status, parent_id, runtime, delivery_mode,"
                  " created_at, updated_at) VALUES ($1, $2, 'online', $3, 'external', $4, 0, 0)",
                  member.id, name, parent, mode));
    run(loop, session->commit());
    member.token = mint_token(member.id);
    return member;
  }
  std::string mint_token(const std::string& id) {
    server::Context context(services);
    run(loop, context.begin_writing());
    std::string token = run(loop, server::mint_token(context, id));
    run(loop, context.store.commit());
    return token;
  }
  void revoke_tokens(std::string_view id) {
    server::Context context(services);
    run(loop, context.begin_writing());
    run(loop, server::revoke_tokens(context, id));
    run(loop, context.store.commit());
  }
  bool can_communicate(const Member& from, const Member& to) {
    server::Context context(services);
    return run(loop, server::can_communicate(context.store, from.id, to.id));
  }
  /// Writes and publishes the events, as a successful request does.
  void emit(server::Context& context) {
    run(loop, context.begin_writing());
    run(loop, context.events.write(context.store));
    run(loop, context.store.commit());
    run(loop, events.publish(context.events.take_frames()));
  }
  void sweep(std::int64_t listening_since) { run(loop, server::sweep(services, listening_since)); }
  server::Reply handle(server::Request request) {
    return run(loop, router.handle(std::move(request)));
  }
  void set(const Member& member, const char* assignment) {
    const std::string sql =
        std::string("UPDATE workspaces SET ") + assignment + " WHERE id = '" + member.id + "'";
    database.execute(sql);
  }
  std::int64_t count(std::string_view sql) { return database.count(sql); }

  Answer ask(std::string_view method, const std::string& target, std::string_view token,
             std::string_view body = "") {
    server::Request request;
    request.method = method;
    const std::size_t question = std::min(target.find('?'), target.size());
    request.path = target.substr(0, question);
    for (std::size_t at = question; at < target.size();) {
      const std::size_t end = std::min(target.find('&', at + 1), target.size());
      const std::string pair = target.substr(at + 1, end - at - 1);
      const std::size_t sign = std::min(pair.find('='), pair.size());
      request.query[pair.substr(0, sign)] =
          sign < pair.size() ? pair.substr(sign + 1) : std::string();
      at = end;
    }
    if (!token.empty()) {
      request.headers.emplace_back("Authorization", "Bearer " + std::string(token));
    }
    for (const auto& header : headers) request.headers.push_back(header);
    request.body = body;
    server::Reply reply = handle(std::move(request));
    Answer answer;
    answer.status = reply.status;
    answer.text = std::move(reply.body);
    answer.content_type = reply.content_type;
    const auto parsed = answer.document.parse(answer.text);
    if (!parsed) answer.document = json::Document();
    return answer;
  }
  Answer get(const std::string& target, std::string_view token) {
    return ask("GET", target, token);
  }
  Answer post(const std::string& target, std::string_view token, std::string_view body) {
    return ask("POST", target, token, body);
  }

  Folder folder;
  VirtualClock clock;
  asio::io_context loop;
  TestStore kept{folder.path / "platform.db"};
  std::unique_ptr<server::store::Database>& store = kept.opened;
  StoreRows database{loop, *store};
  /// As the only instance on its store, whatever the engine: events arrive at once.
  server::EventHub events{*store, clock, nullptr};
  server::Services services{.store = *store,
                            .clock = clock,
                            .events = events,
                            .admin_token = "the-admin-token",
                            .base_url = "http://127.0.0.1:8080",
                            .uploads = folder.path / "uploads"};
  server::Router router{services, server::all_routes()};
  const std::string admin = "the-admin-token";
  /// Sent with every request.
  std::vector<std::pair<std::string, std::string>> headers;
};

inline std::string path_of(const Member& member, std::string_view rest) {
  return "/workspaces/" + member.id + std::string(rest);
}

constexpr std::string_view unknown_id = "11111111-2222-4333-8444-555555555555";
constexpr std::string_view nil_id = "00000000-0000-0000-0000-000000000000";

}  // namespace molecule::test

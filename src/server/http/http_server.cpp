#include "server/http/http_server.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <map>
#include <restinio/http_server.hpp>
#include <restinio/null_logger.hpp>
#include <restinio/sendfile.hpp>
#include <restinio/settings.hpp>
#include <restinio/traits.hpp>
#include <restinio/websocket/websocket.hpp>
#include <utility>

#include "base/log.hpp"
#include "base/text/text.hpp"
#include "server/http/body_admission.hpp"
#include "server/http/http_request.hpp"
#include "server/http/screened_socket.hpp"

namespace molecule::server {

namespace {

namespace ws = restinio::websocket::basic;

constexpr std::chrono::seconds read_timeout(150);  // also how long an idle connection is kept
constexpr std::chrono::seconds write_timeout(60);
constexpr std::chrono::seconds timeout_check_interval(10);
constexpr std::chrono::milliseconds stop_grace(10);
constexpr std::chrono::seconds stop_limit(5);
constexpr std::size_t max_sockets = 256;
constexpr std::size_t max_queued_bytes = std::size_t{4} << 20;

struct Traits : restinio::traits_t<restinio::asio_timer_manager_t, restinio::null_logger_t,
                                   restinio::default_request_handler_t, restinio::noop_strand_t,
                                   ScreenedSocket> {
  static constexpr bool use_connection_count_limiter = true;
};

/// RFC 9110 6.6.1.
std::string date_of(const Clock& clock) {
  return restinio::make_date_field_value(clock.wall());
}

std::string answer_refused(const Clock& clock, const RequestScreen& screen) {
  Reply reply;
  switch (screen.verdict()) {
    case RequestScreen::Verdict::body_too_large:
      reply = body_too_large(screen.max_body_bytes());
      break;
    case RequestScreen::Verdict::refused:
      reply = screen.refusal();
      break;
    case RequestScreen::Verdict::head_too_large:
      reply = error_reply(431, "request head too large");
      break;
    case RequestScreen::Verdict::malformed:
      reply = error_reply(400, "malformed HTTP request");
      break;
    // Nothing can be said in the middle of WebSocket frames.
    case RequestScreen::Verdict::frame_too_large:
    case RequestScreen::Verdict::pass:
      return {};
  }
  add_common_headers({}, {}, reply);
  reply.headers.emplace_back("Date", date_of(clock));
  return closing_answer(reply);
}

/// One connection for each file descriptor, less those needed elsewhere: RESTinio stops accepting
/// for good once it has run out of them.
std::size_t max_connections() {
  constexpr rlim_t wanted = 4096;
  constexpr rlim_t for_others = 64;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(limit.rlim_max, wanted);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  const rlim_t available = std::min(limit.rlim_cur, wanted);
  return available > 2 * for_others ? available - for_others : available / 2;
}

asio::ip::address address_of(const std::string& host) {
  if (host == "localhost") return asio::ip::address_v4::loopback();
  return asio::ip::make_address(host);
}

}  // namespace

struct HttpServer::Impl {
  struct Client {
    ws::ws_handle_t socket;
    std::uint64_t subscription = 0;
    std::size_t queued_bytes = 0;
  };

  Impl(asio::io_context& loop_, Services& services_, Router& router_, Options options_)
      : loop(loop_),
        services(services_),
        router(router_),
        options(std::move(options_)),
        admission(services_, loop_.get_executor()) {
    server.emplace(restinio::external_io_context(loop), [this](auto& settings) {
      const asio::ip::address address = address_of(options.host);
      settings.address(address)
          .protocol(address.is_v6() ? asio::ip::tcp::v6() : asio::ip::tcp::v4())
          .port(options.port)
          .timer_manager(timeout_check_interval)
          .read_next_http_message_timelimit(read_timeout)
          .write_http_response_timelimit(write_timeout)
          .max_parallel_connections(max_connections())
          .socket_options_setter([](auto& socket) {
            asio::error_code ignored;
            socket.set_option(asio::ip::tcp::no_delay(true), ignored);
          })
          .acceptor_post_bind_hook([this](asio::ip::tcp::acceptor& acceptor) {
            port = acceptor.local_endpoint().port();
          })
          .request_handler(
              [this](restinio::request_handle_t request) { return handle(std::move(request)); });
    });
    server->open_sync();
    // Only now: had that failed, another server might be using these.
    ScreenService& service = asio::use_service<ScreenService>(loop);
    service.rules = {.unasked_bytes = admission.unasked_bytes(),
                     .admit = [this](const Request& head, std::optional<std::uint64_t> declared) {
                       return admission.admit(head, declared);
                     }};
    service.answer = [this](const RequestScreen& screen) {
      return answer_refused(services.clock, screen);
    };
  }

  restinio::request_handling_status_t handle(restinio::request_handle_t handle) {
    const restinio::http_request_header_t& head = handle->header();
    Request request;
    request.method = head.method().c_str();
    head.for_each_field([&request](const restinio::http_header_field_t& field) {
      request.headers.emplace_back(field.name(), field.value());
    });
    std::optional<Target> target = parse_target(head.request_target());
    std::optional<Reply> reply = check_gate(options.gate, request);
    if (!reply && !target) reply = error_reply(400, "malformed HTTP request");
    if (target) {
      request.path = std::move(target->path);
      request.query = std::move(target->query);
    }
    // The bytes after a request to upgrade were not screened as requests.
    const bool upgrade = head.connection() == restinio::http_connection_header_t::upgrade;
    const bool close = upgrade || !head.should_keep_alive();
    if (!reply && request.path == "/ws" && request.method == "GET") {
      reply = handshake_refusal(request, upgrade);
      if (!reply) {
        start(open_socket(std::move(handle), std::move(request)));
        return restinio::request_accepted();
      }
    }
    if (reply) {
      answer(*handle, request, *std::move(reply), close);
    } else {
      request.body = handle->body();
      start(serve(std::move(handle), std::move(request), close));
    }
    return restinio::request_accepted();
  }

  /// Starts a request's coroutine, which runs at once until it has to wait.
  void start(awaitable<void> task) {
    ++unfinished;
    asio::co_spawn(loop, std::move(task), [this](const std::exception_ptr& error) {
      --unfinished;
      if (error) std::rethrow_exception(error);
    });
  }

  awaitable<void> serve(restinio::request_handle_t handle, Request request, bool close) {
    Reply reply = co_await router.handle(request);
    answer(*handle, request, std::move(reply), close);
  }

  void answer(restinio::request_t& handle, const Request& request, Reply reply, bool close) {
    add_common_headers(options.gate, request, reply);
    const restinio::http_status_line_t status(
        restinio::http_status_code_t(static_cast<std::uint16_t>(reply.status)),
        std::string(reason_of(reply.status)));
    auto response = handle.create_response<restinio::user_controlled_output_t>(status);
    response.append_header(restinio::http_field::date, date_of(services.clock));
    response.append_header(restinio::http_field::content_type, std::move(reply.content_type));
    for (auto& [name, value] : reply.headers) response.append_header(name, std::move(value));
    if (!reply.file.empty()) {
      restinio::sendfile_t file = restinio::sendfile(reply.file);
      response.set_content_length(file.size());
      if (request.method != "HEAD" && file.size() > 0) response.set_body(std::move(file));
    } else {
      response.set_content_length(reply.body.size());
    }
    if (close || stopping) {
      response.connection_close();
    } else {
      response.connection_keep_alive();
    }
    if (request.method != "HEAD" && !reply.body.empty()) response.set_body(std::move(reply.body));
    ++unfinished;
    // RESTinio loses count of pipelined requests that are answered from within its call.
    asio::post(loop, [this, response = std::move(response)]() mutable {
      response.done([this](const asio::error_code&) { --unfinished; });
    });
  }

  static std::optional<Reply> handshake_refusal(const Request& request, bool upgrade) {
    if (!upgrade) return error_reply(400, "this is a WebSocket: an upgrade is required");
    if (!text::equal_ignoring_case(request.header("Upgrade").value_or(""), "websocket") ||
        request.header("Sec-WebSocket-Version") != "13" ||
        request.header("Sec-WebSocket-Key").value_or("").empty()) {
      return error_reply(400, "malformed WebSocket handshake");
    }
    return std::nullopt;
  }

  /// Upgrades the connection to a WebSocket, or answers why not.
  awaitable<void> open_socket(restinio::request_handle_t handle, Request request) {
    const std::optional<std::string> token = offered_bearer(request);
    Request asked = request;
    if (token && !asked.header("Authorization")) {
      asked.headers.emplace_back("Authorization", "Bearer " + *token);
    }
    Result<Caller, Reply> caller = co_await router.admit(std::move(asked));
    if (!caller) {
      answer(*handle, request, std::move(caller.error()), true);
    } else if (stopping || clients.size() >= max_sockets) {
      answer(*handle, request, error_reply(503, "too many WebSocket clients"), true);
    } else {
      upgrade(*handle, request, *std::move(caller), token);
    }
  }

  void upgrade(restinio::request_t& handle, const Request& request, Caller caller,
               const std::optional<std::string>& token) {
    const std::uint64_t id = ++last_client;
    const auto on_message = [this, id](const ws::ws_handle_t& socket,
                                       const ws::message_handle_t& message) {
      if (message->opcode() == ws::opcode_t::ping_frame) {
        message->set_opcode(ws::opcode_t::pong_frame);
        socket->send_message(*message);
      } else if (message->opcode() == ws::opcode_t::connection_close_frame) {
        drop(id);
      }
    };
    restinio::http_header_fields_t fields;
    fields.set_field(restinio::http_field::date, date_of(services.clock));
    fields.set_field(restinio::http_field::sec_websocket_accept,
                     accept_key(*request.header("Sec-WebSocket-Key")));
    // A browser gives up unless one of the protocols it offered is chosen.
    if (token) fields.set_field(restinio::http_field::sec_websocket_protocol, "bearer." + *token);
    clients[id].socket =
        ws::upgrade<Traits>(handle, ws::activation_t::immediate, std::move(fields), on_message);
    clients[id].subscription = services.events.subscribe(
        {.caller = std::move(caller),
         .send = [this, id](const std::string& frame) { send(id, frame); },
         .revoke = [this, id] { drop(id); }});
  }

  static std::string accept_key(std::string_view key) {
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const auto digest = restinio::utils::sha1::make_digest(text);
    return restinio::utils::base64::encode(restinio::utils::sha1::to_string(digest));
  }

  void send(std::uint64_t id, const std::string& frame) {
    const auto found = clients.find(id);
    if (found == clients.end()) return;
    if (found->second.queued_bytes + frame.size() > max_queued_bytes) {
      log::warning("a WebSocket client that does not read was dropped");
      return drop(id);
    }
    found->second.queued_bytes += frame.size();
    const auto sent = [this, id, size = frame.size()](const asio::error_code&) {
      const auto client = clients.find(id);
      if (client != clients.end()) client->second.queued_bytes -= size;
    };
    found->second.socket->send_message(restinio::websocket::basic::final_frame,
                                       ws::opcode_t::text_frame, frame, sent);
  }

  void drop(std::uint64_t id) {
    const auto found = clients.find(id);
    if (found == clients.end()) return;
    const Client client = std::move(found->second);
    clients.erase(found);
    services.events.unsubscribe(client.subscription);
    client.socket->kill();
  }

  asio::io_context& loop;
  Services& services;
  Router& router;
  Options options;
  BodyAdmission admission;
  std::uint16_t port = 0;
  std::map<std::uint64_t, Client> clients;
  std::uint64_t last_client = 0;
  /// Requests that are being worked on, and answers whose last byte is not yet handed to the
  /// system.
  std::size_t unfinished = 0;
  bool stopping = false;
  std::optional<restinio::http_server_t<Traits>> server;
};

HttpServer::HttpServer(asio::io_context& loop, Services& services, Router& router, Options options)
    : impl_(std::make_unique<Impl>(loop, services, router, std::move(options))) {}

HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const {
  return impl_->port;
}

awaitable<void> HttpServer::stop() {
  impl_->stopping = true;
  impl_->server->close_sync();
  while (!impl_->clients.empty()) impl_->drop(impl_->clients.begin()->first);
  // Requests that the system has already received are read and answered meanwhile.
  Clock& clock = impl_->services.clock;
  const Clock::time_point give_up = clock.now() + stop_limit;
  co_await sleep_for(clock, stop_grace);
  while (impl_->unfinished > 0 && clock.now() < give_up) co_await sleep_for(clock, stop_grace);
}

}  // namespace molecule::server

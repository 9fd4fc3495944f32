#include "server/http/http_server.hpp"

#include <algorithm>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <restinio/http_server.hpp>
#include <restinio/null_logger.hpp>
#include <restinio/sendfile.hpp>
#include <restinio/settings.hpp>
#include <restinio/traits.hpp>
#include <restinio/websocket/websocket.hpp>
#include <utility>

#include "base/async/tasks.hpp"
#include "base/log.hpp"
#include "base/text/text.hpp"
#include "server/http/body_admission.hpp"
#include "server/http/event_client.hpp"
#include "server/http/http_request.hpp"
#include "server/http/limits/byte_budget.hpp"
#include "server/http/limits/connections.hpp"
#include "server/http/limits/descriptors.hpp"
#include "server/http/limits/event_sockets.hpp"
#include "server/http/limits/fair_turns.hpp"
#include "server/http/limits/guess_brake.hpp"
#include "server/http/limits/listener.hpp"
#include "server/http/limits/unsent_answers.hpp"
#include "server/http/screened_socket.hpp"

namespace molecule::server {

namespace {

namespace ws = restinio::websocket::basic;

constexpr std::chrono::seconds read_limit(150);  // also how long an idle connection is kept
constexpr std::chrono::seconds write_limit(60);
constexpr std::chrono::seconds timeout_check(10);
constexpr std::chrono::milliseconds stop_grace(10);
constexpr std::chrono::seconds stop_limit(5);
constexpr std::chrono::seconds late_check(1);
/// A file's own limit: whoever takes nothing of it for a while is dropped before.
constexpr std::chrono::minutes download_limit(30);
/// Held in memory while one is sent.
constexpr std::uint64_t download_chunk = std::uint64_t{64} << 10;

struct Traits : restinio::traits_t<restinio::asio_timer_manager_t, restinio::null_logger_t,
                                   restinio::default_request_handler_t, restinio::noop_strand_t,
                                   ScreenedSocket> {
  // Counted by `Connections`, as `Listener` accepts them.
  static constexpr bool use_connection_count_limiter = false;
};

using Response = restinio::response_builder_t<restinio::user_controlled_output_t>;
using Factory = restinio::impl::connection_factory_t<Traits>;
using Lifetime = restinio::connection_count_limit_types<Traits>::lifetime_monitor_t;

/// RFC 9110 6.6.1.
std::string date_of(const Clock& clock) {
  return restinio::make_date_field_value(clock.wall());
}

std::string answer_refused(const Clock& clock, const RequestScreen& screen) {
  Reply reply;
  switch (screen.verdict()) {
    case RequestScreen::Verdict::body_too_large:
      reply = body_too_large(screen.most_body_bytes());
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
    // In the middle of WebSocket frames there is nothing to say.
    case RequestScreen::Verdict::frame_too_large:
    case RequestScreen::Verdict::pass:
      return {};
  }
  add_common_headers({}, {}, reply);
  reply.headers.emplace_back("Date", date_of(clock));
  return closing_answer(reply);
}

asio::ip::address address_of(const std::string& host) {
  if (host == "localhost") return asio::ip::address_v4::loopback();
  return asio::ip::make_address(host);
}

}  // namespace

struct HttpServer::Impl {
  Impl(asio::io_context& loop_, Context& context_, Router& router_, Options options_)
      : loop(loop_),
        context(context_),
        router(router_),
        options(std::move(options_)),
        admission(context_),
        listener(loop_, {address_of(options.host), options.port}) {
    // Not before: where that failed, another server may be using these.
    ScreenService& service = asio::use_service<ScreenService>(loop);
    service.rules = {.unasked_bytes = admission.unasked_bytes(),
                     .unasked = admission.unasked(),
                     .admit = [this](const Request& head, std::optional<std::uint64_t> declared) {
                       return admission.admit(head, declared);
                     }};
    service.answer = [this](const RequestScreen& screen) {
      return answer_refused(context.clock, screen);
    };
    start();
  }

  /// What RESTinio's own server would do but for accepting.
  void start() {
    restinio::server_settings_t<Traits> settings;
    settings.timer_manager(timeout_check)
        .read_next_http_message_timelimit(read_limit)
        .write_http_response_timelimit(write_limit)
        .socket_options_setter([](auto& socket) {
          asio::error_code ignored;
          socket.set_option(asio::ip::tcp::no_delay(true), ignored);
        })
        .request_handler(
            [this](restinio::request_handle_t request) { return take(std::move(request)); });
    settings.ensure_valid_connection_state_listener();
    timers = settings.timer_factory()->create(loop);
    auto shared = std::make_shared<restinio::impl::connection_settings_t<Traits>>(
        std::move(settings),
        restinio::impl::create_parser_settings<Traits::http_methods_mapper_t>(), timers);
    factory.emplace(std::move(shared), settings.socket_options_setter());
    timers->start();
    tasks.spawn("accept", listener.accept_all(context.clock, *connections, descriptors.connections,
                                              [this](asio::ip::tcp::socket socket) {
                                                open_connection(std::move(socket));
                                              }));
    tasks.spawn("late connections", drop_late());
  }

  void open_connection(asio::ip::tcp::socket accepted) {
    ScreenedSocket socket(std::move(accepted), loop, connections);
    const asio::ip::tcp::endpoint peer = socket.remote_endpoint();
    factory->create_new_connection(std::move(socket), peer, Lifetime(nullptr))->init();
  }

  awaitable<void> drop_late() {
    while (true) {
      co_await sleep_for(context.clock, late_check);
      connections->drop_late();
    }
  }

  /// An escaped exception is a programming error: it leaves `run` of the loop.
  void rethrow(std::string_view task, std::exception_ptr error) {
    log::error("the task {} failed", task);
    asio::post(loop, [error = std::move(error)] { std::rethrow_exception(error); });
  }

  /// Requests wait for their turn; what becomes a WebSocket costs too little for that.
  restinio::request_handling_status_t take(restinio::request_handle_t handle) {
    const restinio::http_request_header_t& head = handle->header();
    if (head.connection() == restinio::http_connection_header_t::upgrade) {
      return this->handle(std::move(handle));
    }
    const std::string owner = head.get_field_or(restinio::http_field::authorization, "");
    turns.submit(owner, [this, handle = std::move(handle)] { this->handle(handle); });
    return restinio::request_accepted();
  }

  restinio::request_handling_status_t handle(restinio::request_handle_t handle) {
    const restinio::http_request_header_t& head = handle->header();
    Request request;
    request.method = head.method().c_str();
    head.for_each_field([&request](const restinio::http_header_field_t& field) {
      request.headers.emplace_back(field.name(), field.value());
    });
    std::optional<Target> target = parse_target(head.request_target());
    if (target && target->host) set_host(request, *target->host);
    std::optional<Reply> reply = check_gate(options.gate, request);
    if (!reply && !target) reply = error_reply(400, "malformed HTTP request");
    const bool malformed = reply && reply->status == 400;
    if (target) {
      request.path = std::move(target->path);
      request.query = std::move(target->query);
    }
    const bool upgrade = head.connection() == restinio::http_connection_header_t::upgrade;
    if (!reply && request.path == "/ws" && request.method == "GET") {
      reply = upgrade ? open_socket(*handle, request)
                      : error_reply(400, "this is a WebSocket: an upgrade is required");
      if (!reply) return restinio::request_accepted();
    }
    if (!reply && request.path == "*") reply = answer_asterisk(request);
    if (!reply) reply = answers.refusal(request);
    if (!reply) {
      request.body = handle->body();
      reply = router.handle(request);
    }
    // The bytes after a request to upgrade were not screened as requests.
    const bool close = upgrade || malformed || !head.should_keep_alive();
    return answer(*handle, request, *std::move(reply), close);
  }

  std::optional<restinio::sendfile_t> open_file(Reply& reply) {
    if (reply.file.empty()) return std::nullopt;
    try {
      restinio::sendfile_t file = restinio::sendfile(reply.file.string(), download_chunk);
      file.timelimit(download_limit);
      return file;
    } catch (const std::exception& error) {
      log::warning("a file could not be opened: {}", error.what());
      connections->drop_silent(1);
      reply = too_busy("the file cannot be read now: retry shortly");
      return std::nullopt;
    }
  }

  restinio::request_handling_status_t answer(restinio::request_t& handle, const Request& request,
                                             Reply reply, bool close) {
    const bool wait = guesses.slows(handle.remote_endpoint().address(), request, reply);
    std::shared_ptr<ByteBudget::Share> held = answers.hold(request, reply);
    std::optional<restinio::sendfile_t> file = open_file(reply);
    add_common_headers(options.gate, request, reply);
    const restinio::http_status_line_t status(
        restinio::http_status_code_t(static_cast<std::uint16_t>(reply.status)),
        std::string(reason_of(reply.status)));
    auto response = handle.create_response<restinio::user_controlled_output_t>(status);
    response.append_header(restinio::http_field::date, date_of(context.clock));
    response.append_header(restinio::http_field::content_type, std::move(reply.content_type));
    for (auto& [name, value] : reply.headers) response.append_header(name, std::move(value));
    response.set_content_length(file ? file->size() : reply.body.size());
    if (close || stopping) {
      response.connection_close();
    } else {
      response.connection_keep_alive();
    }
    if (request.method != "HEAD") {
      if (file && file->size() > 0) response.set_body(*std::move(file));
      if (!reply.body.empty()) response.set_body(std::move(reply.body));
    }
    if (wait && !stopping) {
      tasks.spawn("slow answer", send_later(std::move(response), std::move(held)));
    } else {
      send(std::move(response), std::move(held));
    }
    return restinio::request_accepted();
  }

  awaitable<void> send_later(Response response, std::shared_ptr<ByteBudget::Share> held) {
    co_await sleep_for(context.clock, GuessBrake::delay);
    send(std::move(response), std::move(held));
  }

  void send(Response response, std::shared_ptr<ByteBudget::Share> held) {
    ++unsent;
    // RESTinio loses count of pipelined requests that are answered from within its call.
    asio::post(loop, [this, response = std::move(response), held = std::move(held)]() mutable {
      response.done([this, held = std::move(held)](const asio::error_code&) { --unsent; });
    });
  }

  /// Nothing where the connection became a WebSocket.
  std::optional<Reply> open_socket(restinio::request_t& handle, const Request& request) {
    if (!text::equal_ignoring_case(request.header("Upgrade").value_or(""), "websocket") ||
        request.header("Sec-WebSocket-Version") != "13" ||
        request.header("Sec-WebSocket-Key").value_or("").empty()) {
      return error_reply(400, "malformed WebSocket handshake");
    }
    Result<SightOf, Reply> sight = event_client(context, request);
    if (!sight) return std::move(sight.error());
    if (stopping) return error_reply(503, "the platform is stopping");
    const std::string owner = socket_owner(request);
    if (auto refusal = sockets.refusal(owner)) return refusal;
    open_events(handle, request, owner, *std::move(sight));
    return std::nullopt;
  }

  std::string socket_owner(const Request& request) const {
    std::string token(request.bearer().value_or(""));
    if (token.empty()) token = offered_bearer(request).value_or("");
    const bool person = text::equal_constant_time(token, context.admin_token);
    return person ? std::string(EventSockets::the_person) : token;
  }

  void open_events(restinio::request_t& handle, const Request& request, const std::string& owner,
                   SightOf sight) {
    const std::uint64_t id = sockets.next_id();
    const auto on_message = [this, id](const ws::ws_handle_t&,
                                       const ws::message_handle_t& message) {
      if (message->opcode() == ws::opcode_t::ping_frame) {
        sockets.ping(id, message->payload());
      } else if (message->opcode() == ws::opcode_t::connection_close_frame) {
        sockets.drop(id);
      }
    };
    restinio::http_header_fields_t fields;
    fields.set_field(restinio::http_field::date, date_of(context.clock));
    fields.set_field(restinio::http_field::sec_websocket_accept,
                     accept_key(*request.header("Sec-WebSocket-Key")));
    // A browser gives up unless one of the protocols that it offered is chosen.
    const std::optional<std::string> token = offered_bearer(request);
    if (token) fields.set_field(restinio::http_field::sec_websocket_protocol, "bearer." + *token);
    const ws::ws_handle_t socket =
        ws::upgrade<Traits>(handle, ws::activation_t::immediate, std::move(fields), on_message);
    const std::uint64_t subscription = context.events.subscribe(
        {.wants = [this, id, sight = std::move(sight)](
                      std::string_view workspace) { return wants(id, sight(workspace)); },
         .send = [this, id](const std::string& frame) { sockets.send(id, frame); }});
    sockets.open(id, owner, wire_of(socket, subscription));
  }

  EventSockets::Wire wire_of(const ws::ws_handle_t& socket, std::uint64_t subscription) {
    const auto send_as = [socket](ws::opcode_t opcode) {
      return [socket, opcode](const std::string& payload, std::function<void()> sent) {
        socket->send_message(ws::final_frame, opcode, payload,
                             [sent = std::move(sent)](const asio::error_code&) { sent(); });
      };
    };
    return {.send_text = send_as(ws::opcode_t::text_frame),
            .send_pong = send_as(ws::opcode_t::pong_frame),
            .close = [this, socket, subscription] {
              context.events.unsubscribe(subscription);
              socket->kill();
            }};
  }

  static std::string accept_key(std::string_view key) {
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const auto digest = restinio::utils::sha1::make_digest(text);
    return restinio::utils::base64::encode(restinio::utils::sha1::to_string(digest));
  }

  bool wants(std::uint64_t id, Sight sight) {
    if (sight == Sight::revoked) sockets.drop(id);
    return sight == Sight::yes;
  }

  asio::io_context& loop;
  Context& context;
  Router& router;
  Options options;
  BodyAdmission admission;
  Descriptors descriptors = share_descriptors();
  /// Connections end after this where the loop does.
  std::shared_ptr<Connections> connections =
      std::make_shared<Connections>(context.clock, Connections::Limits());
  UnsentAnswers answers{{}, descriptors.files};
  EventSockets sockets{{}};
  FairTurns turns{loop, context.clock};
  GuessBrake guesses{context.clock};
  Listener listener;
  std::optional<Factory> factory;
  std::shared_ptr<restinio::asio_timer_manager_t> timers;
  /// Answers whose last byte is not yet handed to the system.
  std::size_t unsent = 0;
  bool stopping = false;
  TaskGroup tasks{
      loop.get_executor(), context.clock,
      [this](std::string_view task, std::exception_ptr error) { rethrow(task, std::move(error)); }};
};

HttpServer::HttpServer(asio::io_context& loop, Context& context, Router& router, Options options)
    : impl_(std::make_unique<Impl>(loop, context, router, std::move(options))) {}

HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const {
  return impl_->listener.port();
}

awaitable<void> HttpServer::stop() {
  impl_->stopping = true;
  impl_->listener.close();
  impl_->tasks.cancel_all();
  co_await impl_->tasks.join();
  impl_->timers->stop();
  impl_->sockets.drop_all();
  // What the system has already received is read, handled and answered meanwhile.
  Clock& clock = impl_->context.clock;
  const Clock::time_point give_up = clock.now() + stop_limit;
  co_await sleep_for(clock, stop_grace);
  while ((impl_->unsent > 0 || !impl_->turns.empty()) && clock.now() < give_up)
    co_await sleep_for(clock, stop_grace);
}

}  // namespace molecule::server

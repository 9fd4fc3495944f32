#include "server/http/http_server.hpp"

#include <algorithm>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <restinio/sendfile.hpp>
#include <restinio/settings.hpp>
#include <restinio/traits.hpp>
#include <restinio/websocket/websocket.hpp>
#include <utility>

#include "base/async/tasks.hpp"
#include "base/log.hpp"
#include "base/text/text.hpp"
#include "server/http/body_admission.hpp"
#include "server/http/events/event_streams.hpp"
#include "server/http/events/handshake.hpp"
#include "server/http/events/web_socket.hpp"
#include "server/http/http_request.hpp"
#include "server/http/limits/client_network.hpp"
#include "server/http/limits/connections.hpp"
#include "server/http/limits/descriptors.hpp"
#include "server/http/limits/event_sockets.hpp"
#include "server/http/limits/fair_turns.hpp"
#include "server/http/limits/guess_brake.hpp"
#include "server/http/limits/listener.hpp"
#include "server/http/limits/resting.hpp"
#include "server/http/limits/unsent_answers.hpp"
#include "server/http/screened_socket.hpp"
#include "server/http/transport.hpp"

namespace molecule::server {

namespace {

using Close = EventSockets::Close;

constexpr std::chrono::seconds read_timeout(150);
constexpr std::chrono::seconds write_timeout(60);
constexpr std::chrono::seconds timeout_check_interval(10);
/// Each connection has one that does not rest. Most requests fit into it; a larger one is read in
/// several steps.
constexpr std::size_t read_buffer = 1024;
constexpr std::chrono::milliseconds stop_grace(10);
constexpr std::chrono::seconds stop_limit(5);
constexpr std::chrono::seconds late_check_interval(1);
constexpr std::chrono::seconds ping_interval(30);
/// A download's whole time; a client that takes nothing of it is dropped long before.
constexpr std::chrono::minutes download_timeout(30);
/// Held in memory for each download.
constexpr std::uint64_t download_chunk = std::uint64_t{64} << 10;

}  // namespace

struct HttpServer::Impl {
  Impl(asio::io_context& loop_, Services& services_, Router& router_, Options options_)
      : loop(loop_),
        services(services_),
        router(router_),
        options(std::move(options_)),
        admission(services_, loop_.get_executor()),
        listener(options.listening >= 0
                     ? Listener(loop_, options.listening)
                     : Listener(loop_, endpoint_of(options.host, options.port))) {
    share_guesses();
    // Not before: where that failed, another server may be using these.
    ScreenService& service = asio::use_service<ScreenService>(loop);
    service.rules = {.unasked_bytes = admission.unasked_bytes(),
                     .unasked = admission.unasked(),
                     .admit = [this](const Request& head, std::optional<std::uint64_t> declared) {
                       return admission.admit(head, declared);
                     }};
    service.answer = [this](const RequestScreen& screen) {
      return refused_answer(screen, date_of(services.clock));
    };
    service.rest = [this](asio::ip::tcp::socket socket, std::shared_ptr<Connections::Entry> entry) {
      resting.add(std::move(socket), std::move(entry));
    };
    listen();
    services.transport = [this] { return metrics(); };
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { services.transport = {}; }

  TransportMetrics metrics() const {
    return {.connections = connections->size(),
            .resting = resting.size(),
            .max_connections = descriptors.connections,
            .web_sockets = sockets.size(),
            .event_streams = streams.size(),
            .unfinished_requests = unfinished,
            .accepted_connections = accepted_connections};
  }

  /// A guesser gets no more tries from several instances than from one.
  void share_guesses() {
    Instances& instances = services.events.instances();
    if (!instances.shared()) return;
    guesses.tell = [&instances](std::string_view text) {
      instances.tell(Instances::Subject::guesses, text);
    };
    instances.on(Instances::Subject::guesses,
                 [this](std::string_view text) { guesses.hear(text); });
  }

  /// What RESTinio's own server would do but for accepting.
  void listen() {
    restinio::server_settings_t<Traits> settings;
    settings.timer_manager(timeout_check_interval)
        .read_next_http_message_timelimit(read_timeout)
        .write_http_response_timelimit(write_timeout)
        .buffer_size(read_buffer)
        .socket_options_setter([](auto& socket) {
          asio::error_code ignored;
          socket.set_option(asio::ip::tcp::no_delay(true), ignored);
        })
        .request_handler(
            [this](restinio::request_handle_t request) { return take(std::move(request)); });
    settings.ensure_valid_connection_state_listener();
    timers = settings.timer_factory()->create(loop);
    auto set_options = settings.socket_options_setter();
    auto shared = std::make_shared<restinio::impl::connection_settings_t<Traits>>(
        std::move(settings),
        restinio::impl::create_parser_settings<Traits::http_methods_mapper_t>(), timers);
    factory.emplace(std::move(shared), std::move(set_options));
    timers->start();
    Listener::Open open = [this](asio::ip::tcp::socket socket) {
      ++accepted_connections;
      resting.add(std::move(socket), std::make_shared<Connections::Entry>(connections));
    };
    tasks.spawn("accept", listener.accept_all(services.clock, *connections, descriptors.connections,
                                              std::move(open)));
    tasks.spawn("late connections", drop_late());
    tasks.spawn("idle connections", rest_idle());
    tasks.spawn("streams", keep_streams_alive());
    tasks.spawn("WebSocket pings", ping_sockets());
  }

  /// A connection whose client sent something.
  void serve(asio::ip::tcp::socket ready, std::shared_ptr<Connections::Entry> entry) {
    ScreenedSocket socket(std::move(ready), loop, std::move(entry));
    const asio::ip::tcp::endpoint peer = socket.remote_endpoint();
    factory->create_new_connection(std::move(socket), peer, Lifetime(nullptr))->init();
  }

  awaitable<void> rest_idle() {
    constexpr std::size_t together = 50;
    constexpr std::chrono::milliseconds soon{10};
    constexpr std::chrono::milliseconds without_work{1000};
    while (true) {
      const auto pause = connections->rest_idle(together) ? soon : without_work;
      co_await sleep_for(services.clock, pause);
    }
  }

  awaitable<void> drop_late() {
    while (true) {
      co_await sleep_for(services.clock, late_check_interval);
      connections->drop_late();
      co_await close_revoked();
    }
  }

  awaitable<void> keep_streams_alive() {
    constexpr std::chrono::milliseconds without_streams{1000};
    while (true) {
      const auto pause = streams.size() > 0 ? EventStreams::round_interval : without_streams;
      co_await sleep_for(services.clock, pause);
      streams.keep_alive();
    }
  }

  awaitable<void> ping_sockets() {
    while (true) {
      co_await sleep_for(services.clock, ping_interval);
      sockets.ping_all();
    }
  }

  awaitable<void> close_revoked() {
    try {
      co_await services.events.close_revoked();
    } catch (const StoreError& error) {
      log::warning("the tokens of those who listen to events could not be checked: {}",
                   error.what());
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
      return this->handle(std::move(handle), std::chrono::steady_clock::now());
    }
    const std::string owner = head.get_field_or(
        restinio::http_field::authorization, head.get_field_or(restinio::http_field::cookie, ""));
    turns.submit(owner,
                 [this, handle = std::move(handle), arrived = std::chrono::steady_clock::now()] {
                   this->handle(handle, arrived);
                 });
    return restinio::request_accepted();
  }

  restinio::request_handling_status_t handle(restinio::request_handle_t handle,
                                             std::chrono::steady_clock::time_point arrived) {
    const restinio::http_request_header_t& head = handle->header();
    Request request;
    request.arrived = arrived;
    request.client = client_network(handle->remote_endpoint().address());
    request.method = head.method().c_str();
    head.for_each_field([&request](const restinio::http_header_field_t& field) {
      request.headers.emplace_back(field.name(), field.value());
    });
    const std::string_view prefix = prefix_of(options.gate.external_url);
    std::optional<Target> target = parse_target(head.request_target());
    if (target && target->host) set_host(request, *target->host);
    std::optional<Reply> reply = check_gate(options.gate, request);
    if (!reply && !target) reply = error_reply(400, "malformed HTTP request");
    const bool malformed = reply && reply->status == 400;
    if (target) {
      request.path = std::move(target->path);
      if (!reply) reply = prefix_redirect(request, prefix);
      remove_prefix(request.path, prefix);
      request.query = std::move(target->query);
    }
    // The bytes after a request to upgrade were not screened as requests.
    const bool upgrade = head.connection() == restinio::http_connection_header_t::upgrade;
    const bool close = upgrade || malformed || !head.should_keep_alive();
    if (!reply && request.path == "/ws" && request.method == "GET") {
      reply = handshake_refusal(request, upgrade);
      if (!reply) {
        start(open_socket(std::move(handle), std::move(request)));
        return restinio::request_accepted();
      }
    }
    if (!reply && request.path == "*") reply = answer_asterisk(request);
    if (!reply) reply = answers.refusal(request);
    if (reply) {
      services.requests.count_unmatched(reply->status);
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
    if (reply.following && request.method == "GET") {
      reply = stopping ? too_busy("the platform is stopping")
                       : streams.refusal(reply.following->caller).value_or(std::move(reply));
    }
    if (reply.following && request.method == "GET") {
      open_stream(*handle, request, std::move(reply));
      co_return;
    }
    answer(*handle, request, std::move(reply), close);
  }

  void open_stream(restinio::request_t& handle, const Request& request, Reply reply) {
    add_common_headers(options.gate, request, reply);
    reply.headers.emplace_back("Date", date_of(services.clock));
    streams.open(take_over(handle), reply);
  }

  std::optional<restinio::sendfile_t> open_file(Reply& reply) {
    if (reply.file.empty()) return std::nullopt;
    try {
      restinio::sendfile_t file = restinio::sendfile(reply.file, download_chunk);
      file.timelimit(download_timeout);
      return file;
    } catch (const std::exception& error) {
      log::warning("a file could not be opened: {}", error.what());
      connections->drop_silent(1);
      reply = too_busy("the file cannot be read now: retry shortly");
      return std::nullopt;
    }
  }

  void answer(restinio::request_t& handle, const Request& request, Reply reply, bool close) {
    const bool wait = guesses.slows(request, reply);
    std::shared_ptr<ByteBudget::Share> held = answers.hold(request, reply);
    std::optional<restinio::sendfile_t> file = open_file(reply);
    add_common_headers(options.gate, request, reply);
    const restinio::http_status_line_t status(
        restinio::http_status_code_t(static_cast<std::uint16_t>(reply.status)),
        std::string(reason_of(reply.status)));
    auto response = handle.create_response<restinio::user_controlled_output_t>(status);
    response.append_header(restinio::http_field::date, date_of(services.clock));
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
  }

  awaitable<void> send_later(Response response, std::shared_ptr<ByteBudget::Share> held) {
    co_await sleep_for(services.clock, GuessBrake::delay);
    send(std::move(response), std::move(held));
  }

  void send(Response response, std::shared_ptr<ByteBudget::Share> held) {
    ++unfinished;
    // RESTinio loses count of pipelined requests that are answered from within its call.
    asio::post(loop, [this, response = std::move(response), held = std::move(held)]() mutable {
      response.done([this, held = std::move(held)](const asio::error_code&) { --unfinished; });
    });
  }

  /// Upgrades the connection to a WebSocket, or answers why not.
  awaitable<void> open_socket(restinio::request_handle_t handle, Request request) {
    const SocketOffer offer = socket_offer(request);
    Request asked = request;
    if (offer.token && !asked.header("Authorization")) {
      asked.headers.emplace_back("Authorization", "Bearer " + *offer.token);
    }
    Result<Caller, Reply> caller = co_await router.admit(std::move(asked));
    if (!caller) {
      answer(*handle, request, std::move(caller.error()), true);
    } else if (stopping) {
      answer(*handle, request, error_reply(503, "the platform is stopping"), true);
    } else if (auto refusal = sockets.refusal(event_owner(*caller))) {
      answer(*handle, request, *std::move(refusal), true);
    } else {
      upgrade(*handle, request, *std::move(caller), offer.chosen);
    }
  }

  void upgrade(restinio::request_t& handle, const Request& request, Caller caller,
               const std::string& protocol) {
    const std::uint64_t id = sockets.next_id();
    const std::string owner = event_owner(caller);
    const auto on_message = [this, id](const ws::ws_handle_t&,
                                       const ws::message_handle_t& message) {
      sockets.heard(id);
      if (message->opcode() == ws::opcode_t::ping_frame) {
        sockets.ping(id, message->payload());
      } else if (message->opcode() == ws::opcode_t::connection_close_frame) {
        sockets.drop(id, Close::replied);
      }
    };
    restinio::http_header_fields_t fields;
    fields.set_field(restinio::http_field::date, date_of(services.clock));
    fields.set_field(restinio::http_field::sec_websocket_accept,
                     accept_key(*request.header("Sec-WebSocket-Key")));
    if (!protocol.empty()) {
      fields.set_field(restinio::http_field::sec_websocket_protocol, protocol);
    }
    const ws::ws_handle_t socket =
        ws::upgrade<Traits>(handle, ws::activation_t::immediate, std::move(fields), on_message);
    const std::uint64_t subscription = services.events.subscribe(
        {.caller = std::move(caller),
         .send = [this, id](const std::string& frame) { sockets.send(id, frame); },
         .revoke = [this, id] { sockets.drop(id, Close::revoked); },
         .dismiss = [this, id] { sockets.drop(id, Close::going_away); }});
    sockets.open(id, owner, wire_of(socket, [this, subscription] {
                   services.events.unsubscribe(subscription);
                 }));
  }

  asio::io_context& loop;
  Services& services;
  Router& router;
  Options options;
  BodyAdmission admission;
  Descriptors descriptors = share_descriptors();
  /// Connections end after this where the loop does.
  std::shared_ptr<Connections> connections =
      std::make_shared<Connections>(services.clock, Connections::Limits());
  UnsentAnswers answers{{}, descriptors.files};
  EventSockets sockets{{}};
  EventStreams streams{services.events, descriptors.connections};
  RestingConnections resting{
      [this](asio::ip::tcp::socket socket, std::shared_ptr<Connections::Entry> entry) {
        serve(std::move(socket), std::move(entry));
      }};
  FairTurns turns{loop, services.clock};
  GuessBrake guesses{services.clock};
  Listener listener;
  std::optional<Factory> factory;
  std::shared_ptr<restinio::asio_timer_manager_t> timers;
  /// Requests that are being worked on, and answers whose last byte is not yet handed to the
  /// system.
  std::size_t unfinished = 0;
  std::uint64_t accepted_connections = 0;
  bool stopping = false;
  TaskGroup tasks{
      loop.get_executor(), services.clock,
      [this](std::string_view task, std::exception_ptr error) { rethrow(task, std::move(error)); }};
};

HttpServer::HttpServer(asio::io_context& loop, Services& services, Router& router, Options options)
    : impl_(std::make_unique<Impl>(loop, services, router, std::move(options))) {}

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
  impl_->sockets.drop_all(EventSockets::Close::going_away);
  impl_->streams.drop_all();
  // Requests that the system has already received are read and answered meanwhile.
  Clock& clock = impl_->services.clock;
  const Clock::time_point give_up = clock.now() + stop_limit;
  co_await sleep_for(clock, stop_grace);
  while ((impl_->unfinished > 0 || !impl_->turns.empty()) && clock.now() < give_up) {
    co_await sleep_for(clock, stop_grace);
  }
}

}  // namespace molecule::server

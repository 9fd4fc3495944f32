#include "server/api/limits/client_rate.hpp"

namespace molecule::server {

RequestRates::Verdict count_client(Services& services,
                                   const std::optional<asio::ip::address>& client) {
  const std::int64_t per_minute = services.limits.client_requests_per_minute;
  if (per_minute == 0 || !client) return {};
  const RequestRates::Verdict verdict = services.rates.count(*client, per_minute);
  if (verdict.refused) services.refusals.count_client(client->to_string());
  return verdict;
}

RequestRates::Verdict count_refused(Services& services,
                                    const std::optional<asio::ip::address>& client, Reply& reply) {
  const bool wrong = reply.status == 401 || reply.status == 403;
  const RequestRates::Verdict verdict = count_client(services, client);
  if (verdict.refused) reply = client_refusal(verdict);
  // A guess is one whatever becomes of it.
  reply.wrong_credential = wrong;
  return verdict;
}

}  // namespace molecule::server

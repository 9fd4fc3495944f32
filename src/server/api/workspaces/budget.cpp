#include "server/api/workspaces/budget.hpp"

#include <chrono>
#include <string>

#include "base/json/writer.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

namespace {

constexpr std::int64_t hour = std::chrono::microseconds(std::chrono::hours(1)).count();
constexpr std::int64_t hours_kept = 24 * 7;

std::string budget_json(const WorkspaceRow& workspace, const BudgetPeriods& periods) {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.nullable("budget_limit", workspace.budget_limit);
    reply.field("monthly_spend", workspace.monthly_spend);
    std::optional<std::int64_t> remaining;
    if (workspace.budget_limit) remaining = *workspace.budget_limit - workspace.monthly_spend;
    reply.nullable("budget_remaining", remaining);
    auto all = reply.object("periods");
    for (const BudgetPeriod& period : periods) {
      auto item = all.object(period.name);
      item.nullable("limit", period.limit);
      item.field("spend", period.spend);
      std::optional<std::int64_t> left;
      if (period.limit) left = *period.limit - period.spend;
      item.nullable("remaining", left);
    }
  }
  return std::move(writer).take();
}

/// A limit of a PATCH: absent, null for no limit, or cents.
struct Limit {
  bool sent = false;
  std::optional<std::int64_t> cents;
};

Limit read_limit(Body& body, std::string_view name) {
  return {.sent = body.has(name), .cents = body.integer(name)};
}

}  // namespace

awaitable<BudgetPeriods> budget_periods(Context& context, const WorkspaceRow& workspace) {
  store::Rows row = co_await context.store.query(
      "SELECT w.budget_hourly, w.budget_daily, w.budget_weekly,"
      " CAST(coalesce(sum(CASE WHEN s.hour > $2 - 1 THEN s.cents END), 0) AS BIGINT),"
      " CAST(coalesce(sum(CASE WHEN s.hour > $2 - 24 THEN s.cents END), 0) AS BIGINT),"
      " CAST(coalesce(sum(s.cents), 0) AS BIGINT)"
      " FROM workspaces w LEFT JOIN spend s ON s.workspace_id = w.id AND s.hour > $2 - 168"
      " WHERE w.id = $1 GROUP BY w.id, w.budget_hourly, w.budget_daily, w.budget_weekly",
      workspace.id, context.wall_micros() / hour);
  BudgetPeriods periods{{{"hourly", {}, 0},
                         {"daily", {}, 0},
                         {"weekly", {}, 0},
                         {"monthly", workspace.budget_limit, workspace.monthly_spend}}};
  if (row.next()) {
    for (int i = 0; i < 3; ++i) {
      BudgetPeriod& period = periods.at(static_cast<std::size_t>(i));
      period.limit = row.optional_integer(i);
      period.spend = row.integer(i + 3);
    }
  }
  co_return periods;
}

awaitable<void> record_spend(Context& context, std::string_view workspace_id, std::int64_t before,
                             std::int64_t spend) {
  if (spend <= 0 || spend == before) co_return;
  // A smaller sum is a new month's.
  const std::int64_t cents = spend > before ? spend - before : spend;
  const std::int64_t now = context.wall_micros() / hour;
  co_await context.store.execute(
      "INSERT INTO spend (workspace_id, hour, cents) VALUES ($1, $2, $3)"
      " ON CONFLICT (workspace_id, hour) DO UPDATE SET cents = spend.cents + excluded.cents",
      workspace_id, now, cents);
  co_await context.store.execute("DELETE FROM spend WHERE workspace_id = $1 AND hour <= $2",
                                 workspace_id, now - hours_kept);
}

awaitable<std::optional<Reply>> budget_refusal(Context& context, const WorkspaceRow& workspace) {
  const BudgetPeriods periods = co_await budget_periods(context, workspace);
  json::Writer writer;
  bool exceeded = false;
  {
    auto reply = writer.object();
    reply.field("error", "workspace budget limit exceeded");
    auto names = reply.array("exceeded_periods");
    for (const BudgetPeriod& period : periods) {
      if (!period.exceeded()) continue;
      names.value(period.name);
      exceeded = true;
    }
  }
  if (!exceeded) co_return std::nullopt;
  co_return json_reply(402, std::move(writer).take());
}

awaitable<Reply> get_budget(Context& context, Request request) {
  const Result<WorkspaceRow, Reply> workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  const BudgetPeriods periods = co_await budget_periods(context, *workspace);
  co_return json_reply(200, budget_json(*workspace, periods));
}

awaitable<Reply> set_budget(Context& context, Request request) {
  Body body(request.body);
  Limit monthly = read_limit(body, "budget_limit");
  const json::Value listed = body.any("budget_limits");
  Limit hourly;
  Limit daily;
  Limit weekly;
  bool valid = body.ok() && (!listed.present() || listed.is_object());
  if (valid && listed.present()) {
    Body limits(listed);
    hourly = read_limit(limits, "hourly");
    daily = read_limit(limits, "daily");
    weekly = read_limit(limits, "weekly");
    if (limits.has("monthly")) monthly = read_limit(limits, "monthly");
    valid = limits.ok();
  }
  bool any = false;
  for (const Limit& limit : {monthly, hourly, daily, weekly}) {
    any = any || limit.sent;
    valid = valid && limit.cents.value_or(0) >= 0;
  }
  if (!valid || !any) {
    co_return error_reply(400, "budget_limit must be a whole number of cents, or null");
  }
  const Result<WorkspaceRow, Reply> workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  co_await context.store.execute(
      "UPDATE workspaces SET budget_limit = CASE WHEN $2 THEN $3 ELSE budget_limit END,"
      " budget_hourly = CASE WHEN $4 THEN $5 ELSE budget_hourly END,"
      " budget_daily = CASE WHEN $6 THEN $7 ELSE budget_daily END,"
      " budget_weekly = CASE WHEN $8 THEN $9 ELSE budget_weekly END,"
      " updated_at = $10 WHERE id = $1",
      workspace->id, monthly.sent, monthly.cents, hourly.sent, hourly.cents, daily.sent,
      daily.cents, weekly.sent, weekly.cents, context.now_micros());
  context.events.changed(workspace->id, "agent");
  WorkspaceRow changed = *workspace;
  if (monthly.sent) changed.budget_limit = monthly.cents;
  const BudgetPeriods periods = co_await budget_periods(context, changed);
  co_return json_reply(200, budget_json(changed, periods));
}

}  // namespace molecule::server

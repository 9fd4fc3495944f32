import { h } from "preact";
import { agentList, agents } from "../../core/agents";
import { redraw } from "../../core/redraw";
import { route } from "../../core/route";
import { ui } from "../../core/ui";
import { Icon } from "../../parts/icons";
import { Empty, Failed, Skeleton } from "../../parts/states";
import { valueOf } from "../../parts/view";
import { CreateForm } from "./create";
import { filter, kindOf, rows, type Filter, type Sort } from "./order";
import { AgentRow } from "./row";

function counts(): Record<Filter, number> {
  const found = { all: agents.size, online: 0, away: 0, waiting: 0 };
  for (const agent of agents.values()) found[kindOf(agent)] += 1;
  return found;
}

const filterWords: Record<Filter, string> = { all: "all", online: "online", away: "away", waiting: "waiting" };

function Filters() {
  const number = counts();
  return (
    <div class="filters" role="group" aria-label="Show which agents">
      {(Object.keys(filterWords) as Filter[]).map((one) => (
        <button
          type="button"
          class="pill"
          aria-pressed={filter.only === one ? "true" : "false"}
          onClick={() => {
            filter.only = one;
            redraw();
          }}
        >
          {filterWords[one]} <b>{number[one]}</b>
        </button>
      ))}
    </div>
  );
}

function Tools() {
  return (
    <div class="tools">
      <label class="search-field">
        <Icon name="search" />
        <span class="hidden">Filter agents by name, role or skill</span>
        <input
          id="agent-filter"
          type="search"
          placeholder="Filter"
          value={filter.words}
          onInput={(event: Event) => {
            filter.words = valueOf(event);
            redraw();
          }}
        />
      </label>
      <label class="sort">
        <span class="hidden">Sort by</span>
        <select
          value={filter.sort}
          onChange={(event: Event) => {
            filter.sort = valueOf(event) as Sort;
            redraw();
          }}
        >
          <option value="name">Name</option>
          <option value="status">Status</option>
          <option value="recent">Last seen</option>
          <option value="busy">Busiest</option>
        </select>
      </label>
    </div>
  );
}

// A screen of rows is there at once; the rest of hundreds follows.
const firstRows = 30;
let drawn: "first" | "waiting" | "all" = "first";

function drawRest(): void {
  if (drawn === "first") {
    requestAnimationFrame(() => setTimeout(() => {
      drawn = "all";
      redraw();
    }));
  }
  drawn = "waiting";
}

/// The list of all agents: the whole view, or the column beside an open agent.
export function Agents({ compact }: { compact: boolean }) {
  if (!agentList.data && !agentList.error) return <Skeleton rows={6} />;
  if (agents.size === 0 && !agentList.error) {
    return (
      <div class="first">
        <Empty icon="agents" title="No agents yet">
          <p>Name your first agent. You get a command to paste where it runs; it appears here when it connects.</p>
        </Empty>
        <CreateForm />
      </div>
    );
  }
  let shown = rows(agents.values());
  if (shown.length > firstRows && drawn !== "all") {
    shown = shown.slice(0, firstRows);
    drawRest();
  }
  return (
    <section class={compact ? "agent-list compact" : "agent-list"} aria-label="Agents">
      <header class="bar">
        <h1>Agents</h1>
        <button type="button" class="primary" aria-label="New agent" onClick={() => ui.open("create")}>
          <Icon name="plus" /> <span>New agent</span>
        </button>
      </header>
      <Tools />
      <Filters />
      <Failed of={agentList} />
      {shown.length === 0 ? (
        <p class="nothing">No agent matches. Clear the filter to see all {agents.size}.</p>
      ) : (
        <ul class="rows">
          {shown.map(({ agent, depth }) => (
            <AgentRow key={agent.id} agent={agent} depth={depth} compact={compact} current={agent.id === route.id} />
          ))}
        </ul>
      )}
    </section>
  );
}

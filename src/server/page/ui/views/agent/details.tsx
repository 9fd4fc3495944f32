import { h } from "preact";
import { call, explain } from "../../core/api";
import { agentList, agents, nameOf, removeAgent, type Agent } from "../../core/agents";
import { duration, readable } from "../../core/decode";
import { go } from "../../core/route";
import { toast } from "../../core/toast";
import type { Resource } from "../../core/resource";
import { Confirm } from "../../parts/dialog";
import { Ago, Skills } from "../../parts/marks";
import { View } from "../../parts/view";
import { AbilitiesCard } from "./abilities";
import { EditForm } from "./edit";
import { FilesWaiting } from "./files_waiting";
import { Memory } from "./memory";
import { eventsOf, PresenceBar } from "./presence";

interface State {
  editing: boolean;
  removing: boolean;
}

const money = (cents: number) => `$${(cents / 100).toFixed(2)}`;

export class Details extends View<{ agent: Agent }, State> {
  state: State = { editing: false, removing: false };

  resources({ agent }: { agent: Agent }) {
    return [eventsOf(agent.id)] as Resource<unknown>[];
  }
  private readonly remove = async (): Promise<void> => {
    const { agent } = this.props;
    try {
      await call("DELETE", `workspaces/${agent.id}?confirm=true`, { headers: { "X-Confirm-Name": encodeName(agent.exactName) } });
      removeAgent(agent.id);
      void agentList.load();
      toast(`${agent.name} was removed`);
      go("#/agents");
    } catch (error) {
      toast(explain(error, `remove ${agent.name}`), true);
    }
  };
  private facts() {
    const { agent } = this.props;
    return (
      <dl class="facts">
        <dt>Name</dt><dd><bdi>{agent.name}</bdi></dd>
        <dt>Role</dt><dd><bdi>{agent.role || "none"}</bdi></dd>
        <dt>Belongs to</dt><dd><bdi>{agent.parent ? nameOf(agent.parent) : "no one"}</bdi></dd>
        <dt>Id</dt><dd><code>{agent.id}</code></dd>
        {agent.created > 0 && <dt>Created</dt>}
        {agent.created > 0 && <dd><Ago at={agent.created} /></dd>}
        <dt>Last heartbeat</dt><dd>{agent.heartbeat ? <Ago at={agent.heartbeat} /> : "never"}</dd>
        {agent.uptime > 0 && <dt>Running for</dt>}
        {agent.uptime > 0 && <dd>{duration(agent.uptime)}</dd>}
        <dt>Delivery</dt><dd>{agent.polls ? "it asks for its messages" : "messages are pushed to it"}</dd>
        <dt>Spent this month</dt>
        <dd>{money(agent.spend)}{agent.budgetLimit !== null && ` of ${money(agent.budgetLimit)}`}</dd>
      </dl>
    );
  }
  render() {
    const { agent } = this.props;
    const children = [...agents.values()].filter((other) => other.parent === agent.id);
    const version = agent.card.version;
    return (
      <div class="page details">
        <section class="card">
          <header class="bar">
            <h2>About</h2>
            <button type="button" onClick={() => this.setState({ editing: true })}>Edit</button>
          </header>
          {this.facts()}
          <h3>Presence of the last 24 hours</h3>
          <PresenceBar agent={agent} />
        </section>
        <section class="card">
          <h2>Card</h2>
          {agent.skills.length > 0
            ? <Skills names={agent.skills} />
            : <p class="hint">The agent names no skills.</p>}
          {typeof version === "string" && <p class="hint">Version <bdi>{version}</bdi></p>}
          <details>
            <summary>The whole card</summary>
            <pre tabIndex={0} role="group" aria-label="The agent's card">{readable(agent.card)}</pre>
          </details>
        </section>
        <AbilitiesCard key={`abilities ${agent.id}`} agent={agent} />
        <Memory key={agent.id} agent={agent.id} />
        <FilesWaiting key={`files ${agent.id}`} agent={agent.id} />
        <section class="card danger-zone">
          <h2>Remove</h2>
          <p class="hint">
            Its tokens end at once{children.length > 0 && `, and so do those of the ${children.length} that belong to it`}. What it wrote stays with the others.
          </p>
          <button type="button" class="danger" onClick={() => this.setState({ removing: true })}>Remove this agent…</button>
        </section>
        {this.state.editing && <EditForm agent={agent} onClose={() => this.setState({ editing: false })} />}
        {this.state.removing && (
          <Confirm
            title="Remove this agent?"
            action="Remove"
            typed={agent.name}
            onConfirm={this.remove}
            onClose={() => this.setState({ removing: false })}
          >
            <p>
              <bdi><b>{agent.name}</b></bdi> goes offline and cannot come back with its tokens.
              {children.length > 0 && ` Also removed: ${children.map((child) => child.name).join(", ").slice(0, 300)}.`}
            </p>
          </Confirm>
        )}
      </div>
    );
  }
}

/// A field of a request takes Latin-1 only; the platform compares the bytes, which are UTF-8.
function encodeName(name: string): string {
  return String.fromCharCode(...new TextEncoder().encode(name));
}

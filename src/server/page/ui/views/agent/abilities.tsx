import { h, Component } from "preact";
import { call, explain } from "../../core/api";
import { agentList, type Abilities, type Agent } from "../../core/agents";
import { toast } from "../../core/toast";

const words: { key: keyof Abilities; title: string; hint: string }[] = [
  { key: "talk_to_user_enabled", title: "Write to you", hint: "its messages appear in the chat" },
  { key: "can_delegate", title: "Delegate tasks", hint: "to the agents that it may write to" },
  { key: "broadcast_enabled", title: "Broadcast", hint: "one message to all agents" },
];

/// What the person allows an agent.
export class AbilitiesCard extends Component<{ agent: Agent }, { busy: boolean }> {
  state = { busy: false };

  private async set(key: keyof Abilities, on: boolean): Promise<void> {
    const { agent } = this.props;
    this.setState({ busy: true });
    try {
      await call("PATCH", `workspaces/${agent.id}/abilities`, { body: { [key]: on } });
    } catch (error) {
      toast(explain(error, `change what ${agent.name} may do`), true);
    }
    await agentList.load();
    this.setState({ busy: false });
  }
  render() {
    const { agent } = this.props;
    return (
      <section class="card">
        <h2>Abilities</h2>
        <p class="hint">What <bdi>{agent.name}</bdi> may do. A change holds at once.</p>
        {words.map(({ key, title, hint }) => (
          <label class="switch" key={key}>
            <input
              type="checkbox"
              checked={agent.abilities[key]}
              disabled={this.state.busy}
              onChange={(event: Event) => void this.set(key, (event.target as HTMLInputElement).checked)}
            />
            <span>{title} <i>{hint}</i></span>
          </label>
        ))}
      </section>
    );
  }
}

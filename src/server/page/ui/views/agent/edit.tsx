import { h, Component } from "preact";
import { call, explain } from "../../core/api";
import { agentList, agents, type Agent } from "../../core/agents";
import { Dialog } from "../../parts/dialog";
import { valueOf } from "../../parts/view";

interface Props {
  agent: Agent;
  onClose: () => void;
}

interface State {
  name: string;
  role: string;
  parent: string;
  budget: string;
  error: string;
  busy: boolean;
}

export class EditForm extends Component<Props, State> {
  state: State = this.start();

  private start(): State {
    const { agent } = this.props;
    return {
      name: agent.name, role: agent.role, parent: agent.parent,
      budget: agent.budgetLimit === null ? "" : (agent.budgetLimit / 100).toFixed(2), error: "", busy: false,
    };
  }
  /// True for the agent itself and what is below it: those cannot be above it.
  private below(other: Agent): boolean {
    let at: Agent | undefined = other;
    for (let depth = 0; at && depth < 50; depth += 1) {
      if (at.id === this.props.agent.id) return true;
      at = agents.get(at.parent);
    }
    return false;
  }
  private readonly save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const { agent, onClose } = this.props;
    const { name, role, parent, budget } = this.state;
    const cents = budget.trim() === "" ? null : Math.round(Number(budget) * 100);
    if (!name.trim()) return this.setState({ error: "Give the agent a name." });
    if (cents !== null && !(cents >= 0)) return this.setState({ error: "The budget is an amount such as 12.50, or empty for none." });
    this.setState({ busy: true, error: "" });
    try {
      const change = { name: name.trim(), role: role.trim(), parent_id: parent || null };
      await call("PATCH", `workspaces/${agent.id}`, { body: change });
      if (cents !== agent.budgetLimit) {
        await call("PATCH", `workspaces/${agent.id}/budget`, { body: { budget_limit: cents } });
      }
      await agentList.load();
      onClose();
    } catch (error) {
      this.setState({ error: explain(error, "save this"), busy: false });
    }
  };
  private field(label: string, key: "name" | "role" | "budget", hint = "") {
    return (
      <label class="field">
        <span>{label} {hint && <i>{hint}</i>}</span>
        <input
          autofocus={key === "name"}
          autocomplete="off"
          inputMode={key === "budget" ? "decimal" : null}
          value={this.state[key]}
          onInput={(event: Event) => this.setState({ [key]: valueOf(event) } as unknown as State)}
        />
      </label>
    );
  }
  render() {
    const others = [...agents.values()].filter((other) => !this.below(other));
    return (
      <Dialog title="Edit agent" onClose={this.props.onClose}>
        <form onSubmit={this.save}>
          {this.field("Name", "name")}
          {this.field("Role", "role", "optional")}
          <label class="field">
            <span>Belongs to</span>
            <select value={this.state.parent} onChange={(event: Event) => this.setState({ parent: valueOf(event) })}>
              <option value="">No one</option>
              {others.map((other) => (
                <option value={other.id}>{other.name}</option>
              ))}
            </select>
          </label>
          {this.field("Monthly budget in dollars", "budget", "empty: none")}
          {this.state.error && <p class="problem" role="alert">{this.state.error}</p>}
          <footer>
            <button type="button" onClick={this.props.onClose}>Cancel</button>
            <button class="primary" disabled={this.state.busy}>Save</button>
          </footer>
        </form>
      </Dialog>
    );
  }
}

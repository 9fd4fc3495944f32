import { h, Component } from "preact";
import { explain, post } from "../../core/api";
import { agentList, agents } from "../../core/agents";
import { record, text } from "../../core/decode";
import { agentHref, go } from "../../core/route";
import { ui } from "../../core/ui";
import { Dialog } from "../../parts/dialog";
import { valueOf } from "../../parts/view";
import { keepConnection } from "../connect/connection";

interface State {
  name: string;
  role: string;
  parent: string;
  error: string;
  busy: boolean;
}

// What the platform refuses in names (platform-api.md 2.1), said before it is sent.
const forbidden = /[{}[\]|>*&!\r\n]/;

export class CreateForm extends Component<{ onDone?: () => void }, State> {
  state: State = { name: "", role: "", parent: "", error: "", busy: false };

  private problem(): string {
    const { name, role } = this.state;
    if (!name.trim()) return "Give the agent a name.";
    const bad = forbidden.exec(name + role);
    if (bad) return `Leave out the character ${bad[0]}: names and roles may not have it.`;
    if (new TextEncoder().encode(name).length > 255) return "Choose a shorter name.";
    if (new TextEncoder().encode(role).length > 1000) return "Choose a shorter role.";
    return "";
  }

  private readonly create = async (event: Event): Promise<void> => {
    event.preventDefault();
    const error = this.problem();
    this.setState({ error });
    if (error) return;
    this.setState({ busy: true });
    const { name, role, parent } = this.state;
    try {
      const made = record(await post("workspaces", {
        name: name.trim(), role: role.trim() || undefined, parent_id: parent || undefined,
        runtime: "external", external: true, delivery_mode: "poll",
      }));
      const id = text(made.id);
      keepConnection(id, made.connection);
      await agentList.load();
      this.props.onDone?.();
      go(agentHref(id, "connect"));
    } catch (failure) {
      this.setState({ error: explain(failure, "create the agent"), busy: false });
    }
  };

  render() {
    const { name, role, parent, error, busy } = this.state;
    return (
      <form class="create" onSubmit={this.create}>
        <label class="field">
          <span>Name</span>
          <input
            autofocus
            autocomplete="off"
            placeholder="researcher"
            value={name}
            onInput={(event: Event) => this.setState({ name: valueOf(event) })}
          />
        </label>
        <label class="field">
          <span>Role <i>optional; other agents see it</i></span>
          <input
            autocomplete="off"
            placeholder="reads papers and answers questions"
            value={role}
            onInput={(event: Event) => this.setState({ role: valueOf(event) })}
          />
        </label>
        {agents.size > 0 && (
          <label class="field">
            <span>Belongs to <i>optional; agents talk within their team</i></span>
            <select value={parent} onChange={(event: Event) => this.setState({ parent: valueOf(event) })}>
              <option value="">No one</option>
              {[...agents.values()].map((agent) => (
                <option value={agent.id}>{agent.name}</option>
              ))}
            </select>
          </label>
        )}
        {error && <p class="problem" role="alert">{error}</p>}
        <footer>
          <button class="primary" disabled={busy}>Create agent</button>
        </footer>
      </form>
    );
  }
}

export const CreateDialog = () => (
  <Dialog title="New agent" onClose={ui.close}>
    <CreateForm onDone={ui.close} />
  </Dialog>
);

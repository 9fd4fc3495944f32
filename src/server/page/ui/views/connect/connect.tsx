import { h } from "preact";
import { base, explain, get } from "../../core/api";
import { isOnline, type Agent } from "../../core/agents";
import { now } from "../../core/clock";
import { record, text } from "../../core/decode";
import { redraw } from "../../core/redraw";
import { Resource } from "../../core/resource";
import { agentHref } from "../../core/route";
import { toast } from "../../core/toast";
import { Confirm } from "../../parts/dialog";
import { Copy, Snippet } from "../../parts/copy";
import { Icon } from "../../parts/icons";
import { Ago } from "../../parts/marks";
import { Failed, Skeleton } from "../../parts/states";
import { Tabs } from "../../parts/tabs";
import { View } from "../../parts/view";
import { addToken, connectionOf, rotate } from "./connection";
import { saveToken, snippets, type Place } from "./snippets";

const install = new Resource("where molecule-mcp is", async () => text(record(await get("page/install")).molecule_mcp));

interface State {
  tab: string;
  asking: boolean;
  busy: boolean;
}

export class Connect extends View<{ agent: Agent }, State> {
  state: State = { tab: "terminal", asking: false, busy: false };

  resources({ agent }: { agent: Agent }) {
    return [connectionOf(agent.id), install] as Resource<unknown>[];
  }

  private readonly add = async (): Promise<void> => {
    this.setState({ busy: true });
    try {
      await addToken(this.props.agent.id);
    } catch (error) {
      toast(explain(error, "make a token"), true);
    }
    this.setState({ busy: false });
    redraw();
  };

  private readonly replace = async (): Promise<void> => {
    try {
      await rotate(this.props.agent.id);
      toast("The token was replaced. Give the new one to the agent.");
    } catch (error) {
      toast(explain(error, "replace the token"), true);
    }
  };

  private place(): Place {
    const connection = connectionOf(this.props.agent.id).data;
    // A proxy may have removed a path that the platform never saw: then this page knows better.
    const told = connection?.url && connection.url !== base.origin ? connection.url : base.href;
    return {
      id: this.props.agent.id,
      url: told.replace(/\/$/, ""),
      token: connection?.token ?? "",
      program: install.data || "molecule-mcp",
    };
  }

  private presence() {
    const { agent } = this.props;
    if (isOnline(agent)) {
      return (
        <p class="connected" role="status">
          <Icon name="check" />
          <span><b>Connected!</b> Last heard <Ago at={agent.heartbeat || now()} />.</span>
          <a href={agentHref(agent.id)}>Write to it</a>
        </p>
      );
    }
    return (
      <p class="connected waiting" role="status">
        <span class="pulse" aria-hidden="true" />
        <span>Waiting for the agent to connect. This changes by itself when it does.</span>
      </p>
    );
  }

  private tokenStep(place: Place) {
    if (place.token) {
      return (
        <div>
          <div class="secret">
            <code id="token">{place.token}</code>
            <Copy text={place.token} label="the token" target={() => document.getElementById("token")} />
          </div>
          <p class="hint">It is shown once, here and now. Paste this in a shell where the agent runs; only your user can read the file that it writes.</p>
          <Snippet text={saveToken(place)} label="the command that saves the token" />
        </div>
      );
    }
    return (
      <div>
        <p class="hint">A token is shown once, when it is made. Make another one for this place, or replace all of them.</p>
        <p class="actions">
          <button type="button" class="primary" disabled={this.state.busy} onClick={this.add}>
            <Icon name="plus" /> New token
          </button>
          <button type="button" onClick={() => this.setState({ asking: true })}>Replace all tokens</button>
        </p>
      </div>
    );
  }

  render() {
    const { agent } = this.props;
    const resource = connectionOf(agent.id);
    if (!resource.data && !resource.error) return <Skeleton />;
    const place = this.place();
    const chosen = snippets.find((one) => one.id === this.state.tab) ?? snippets[0];
    return (
      <div class="page connect">
        <div aria-live="polite">{this.presence()}</div>
        {!resource.missing && <Failed of={resource} />}
        <section class="card">
          <h2><span class="step">1</span> The token</h2>
          {this.tokenStep(place)}
        </section>
        <section class="card">
          <h2><span class="step">2</span> The agent</h2>
          <Tabs
            label="Where the agent runs"
            panel="snippet"
            tabs={snippets}
            current={chosen.id}
            onChoose={(tab) => this.setState({ tab })}
          />
          <div id="snippet" role="tabpanel" aria-labelledby={`snippet-${chosen.id}`}>
            <p class="hint">{chosen.where}</p>
            <Snippet key={chosen.id} text={chosen.text(place)} label={`the lines for ${chosen.title}`} />
          </div>
        </section>
        {this.state.asking && (
          <Confirm title="Replace all tokens?" action="Replace" onConfirm={this.replace} onClose={() => this.setState({ asking: false })}>
            <p>
              Every place where <bdi><b>{agent.name}</b></bdi> runs now loses access at once, until it gets the new token.
              Other agents keep theirs.
            </p>
          </Confirm>
        )}
      </div>
    );
  }
}

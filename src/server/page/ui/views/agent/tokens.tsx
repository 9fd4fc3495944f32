import { h } from "preact";
import { call, explain, get } from "../../core/api";
import type { Agent } from "../../core/agents";
import { list, record, text, time } from "../../core/decode";
import { Resource } from "../../core/resource";
import { toast } from "../../core/toast";
import { Copy } from "../../parts/copy";
import { Confirm } from "../../parts/dialog";
import { Icon } from "../../parts/icons";
import { Ago } from "../../parts/marks";
import { Failed, Skeleton } from "../../parts/states";
import { View } from "../../parts/view";

interface Token {
  id: string;
  prefix: string;
  created: number;
  used: number;
}

interface State {
  made: string;
  busy: boolean;
  revoking: Token | null;
}

export class Tokens extends View<{ agent: Agent }, State> {
  state: State = { made: "", busy: false, revoking: null };
  private readonly tokens = new Resource("the tokens", async () =>
    list(record(await get(`workspaces/${this.props.agent.id}/tokens?limit=200`)).tokens).map((item): Token => {
      const row = record(item);
      return { id: text(row.id), prefix: text(row.prefix), created: time(row.created_at), used: time(row.last_used_at) };
    }), `tokens ${this.props.agent.id}`);

  resources() {
    return [this.tokens] as Resource<unknown>[];
  }
  private readonly make = async (): Promise<void> => {
    this.setState({ busy: true });
    try {
      const made = record(await call("POST", `workspaces/${this.props.agent.id}/tokens`, { body: {} }));
      this.setState({ made: text(made.auth_token) });
      await this.tokens.load();
    } catch (error) {
      toast(explain(error, "make a token"), true);
    }
    this.setState({ busy: false });
  };
  private readonly revoke = async (): Promise<void> => {
    const token = this.state.revoking;
    if (!token) return;
    try {
      await call("DELETE", `workspaces/${this.props.agent.id}/tokens/${token.id}`);
      toast("The token was revoked");
    } catch (error) {
      toast(explain(error, "revoke the token"), true);
    }
    await this.tokens.load();
  };
  render() {
    const { agent } = this.props;
    const { made, revoking, busy } = this.state;
    const tokens = this.tokens.data ?? [];
    // Revoked meanwhile, here or elsewhere: it is of no use any more.
    const shown = tokens.some((token) => made.startsWith(token.prefix)) ? made : "";
    return (
      <div class="page tokens">
        <section class="card">
          <header class="bar">
            <h2>Tokens</h2>
            <button type="button" class="primary" disabled={busy} onClick={this.make}><Icon name="plus" /> New token</button>
          </header>
          <p class="hint">With a token a program acts as <bdi>{agent.name}</bdi>. Only its first characters are kept in readable form.</p>
          {shown && (
            <div class="secret" role="status">
              <code id="new-token">{shown}</code>
              <Copy text={shown} label="the new token" target={() => document.getElementById("new-token")} />
              <p class="hint">It is shown once. Copy it now.</p>
            </div>
          )}
          <Failed of={this.tokens} />
          {!this.tokens.data && !this.tokens.error && <Skeleton rows={2} />}
          {this.tokens.data && tokens.length === 0 && <p class="hint">No token is valid: the agent cannot connect until it gets a new one.</p>}
          <ul class="plain-list tokens-list">
            {tokens.map((token) => (
              <li key={token.id}>
                <code>{token.prefix}…</code>
                <span class="dim">created <Ago at={token.created} /></span>
                <span class="dim">{token.used ? <span>used <Ago at={token.used} /></span> : "never used"}</span>
                <button type="button" onClick={() => this.setState({ revoking: token })} aria-label={`Revoke the token ${token.prefix}`}>Revoke…</button>
              </li>
            ))}
          </ul>
        </section>
        {revoking && (
          <Confirm title="Revoke this token?" action="Revoke" onConfirm={this.revoke} onClose={() => this.setState({ revoking: null })}>
            <p>
              Whatever runs as <bdi><b>{agent.name}</b></bdi> with the token <code>{revoking.prefix}…</code> loses access at once.
              {revoking.used > 0 && <span> It was last used <Ago at={revoking.used} />.</span>}
              {tokens.length === 1 && " It is the only one: the agent goes offline."}
            </p>
          </Confirm>
        )}
      </div>
    );
  }
}

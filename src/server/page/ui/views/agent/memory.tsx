import { h } from "preact";
import { call, explain, get, post } from "../../core/api";
import { list, record, text, time } from "../../core/decode";
import { Resource } from "../../core/resource";
import { toast } from "../../core/toast";
import { Confirm } from "../../parts/dialog";
import { Ago } from "../../parts/marks";
import { Failed, Skeleton } from "../../parts/states";
import { valueOf, View } from "../../parts/view";

const scopes = ["LOCAL", "TEAM", "GLOBAL"] as const;
const scopeWords: Record<string, string> = { "": "its own", LOCAL: "only it", TEAM: "its team", GLOBAL: "everybody" };

interface Item {
  id: string;
  content: string;
  scope: string;
  space: string;
  owner: string;
  at: number;
}

interface State {
  scope: string;
  query: string;
  adding: string;
  addScope: string;
  deleting: Item | null;
}

export class Memory extends View<{ agent: string }, State> {
  state: State = { scope: "", query: "", adding: "", addScope: "LOCAL", deleting: null };
  private timer = 0;
  private readonly items = new Resource("the memories", () => this.fetch(), "memories");

  resources() {
    return [this.items] as Resource<unknown>[];
  }
  private async fetch(): Promise<Item[]> {
    const query = new URLSearchParams({ limit: "49" });
    if (this.state.scope) query.set("scope", this.state.scope);
    if (this.state.query.trim()) query.set("q", this.state.query.trim());
    return list(await get(`workspaces/${this.props.agent}/memories?${query}`)).map((item) => {
      const row = record(item);
      return {
        id: text(row.id), content: text(row.content), scope: text(row.scope), space: text(row.namespace),
        owner: text(row.workspace_id), at: time(row.created_at),
      };
    });
  }
  private change(state: Pick<State, "scope" | "query">): void {
    this.setState(state);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.items.load(), 200);
  }
  private readonly add = async (event: Event): Promise<void> => {
    event.preventDefault();
    const content = this.state.adding.trim();
    if (!content) return;
    try {
      await post(`workspaces/${this.props.agent}/memories`, { content, scope: this.state.addScope });
      this.setState({ adding: "" });
      await this.items.load();
    } catch (error) {
      toast(explain(error, "keep this memory"), true);
    }
  };
  private readonly remove = async (): Promise<void> => {
    const item = this.state.deleting;
    if (!item) return;
    try {
      await call("DELETE", `workspaces/${item.owner || this.props.agent}/memories/${item.id}`);
    } catch (error) {
      toast(explain(error, "delete this memory"), true);
    }
    await this.items.load();
  };
  render() {
    const { scope, query, adding, addScope, deleting } = this.state;
    const items = this.items.data ?? [];
    return (
      <section class="card memory" aria-label="Memory">
        <h2>Memory</h2>
        <div class="tools">
          <label class="search-field">
            <span class="hidden">Search the memories</span>
            <input type="search" placeholder="Search" value={query} onInput={(event: Event) => this.change({ scope, query: valueOf(event) })} />
          </label>
          <label class="sort">
            <span class="hidden">Whose memories</span>
            <select value={scope} onChange={(event: Event) => this.change({ scope: valueOf(event), query })}>
              {["", ...scopes].map((one) => (
                <option value={one}>{scopeWords[one]}</option>
              ))}
            </select>
          </label>
        </div>
        <Failed of={this.items} />
        {!this.items.data && !this.items.error && <Skeleton rows={2} />}
        {this.items.data && items.length === 0 && <p class="hint">{query ? "No memory has these words." : "Nothing is remembered yet."}</p>}
        <ul class="memories">
          {items.map((item) => (
            <li key={item.id}>
              <p dir="auto">{item.content.slice(0, 2000)}</p>
              <p class="line dim">
                <span class="chip">{scopeWords[item.scope] ?? item.scope.toLowerCase()}</span>
                <Ago at={item.at} />
                <button
                  type="button"
                  class="plain"
                  aria-label={`Delete the memory “${item.content.slice(0, 40)}”`}
                  onClick={() => this.setState({ deleting: item })}
                >
                  Delete
                </button>
              </p>
            </li>
          ))}
        </ul>
        <form class="reason" onSubmit={this.add}>
          <label class="field">
            <span class="hidden">A new memory</span>
            <input placeholder="Remember something for it" value={adding} onInput={(event: Event) => this.setState({ adding: valueOf(event) })} />
          </label>
          <label class="field narrow">
            <span class="hidden">Who knows it</span>
            <select value={addScope} onChange={(event: Event) => this.setState({ addScope: valueOf(event) })}>
              {scopes.map((one) => (
                <option value={one}>{scopeWords[one]}</option>
              ))}
            </select>
          </label>
          <button disabled={!adding.trim()}>Add</button>
        </form>
        {deleting && (
          <Confirm title="Delete this memory?" action="Delete" onConfirm={this.remove} onClose={() => this.setState({ deleting: null })}>
            <p class="quoted" dir="auto">{deleting.content.slice(0, 300)}</p>
          </Confirm>
        )}
      </section>
    );
  }
}

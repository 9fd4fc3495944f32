import { h } from "preact";
import { explain } from "../../core/api";
import { acceptance, decided, loadMore, pending, respond, unloaded, waiting, type Request } from "../../core/requests";
import type { Resource } from "../../core/resource";
import { toast } from "../../core/toast";
import { Confirm } from "../../parts/dialog";
import { Empty, Failed, Skeleton } from "../../parts/states";
import { Tabs } from "../../parts/tabs";
import { View } from "../../parts/view";
import { RequestCard } from "./card";

type Tab = "all" | "tasks" | "approvals" | "decided";

interface State {
  tab: Tab;
  chosen: string[];
  /// Put aside until the page is loaded again; they still wait and still count.
  later: string[];
  rejecting: boolean;
}

const inTab: Record<Tab, (request: Request) => boolean> = {
  all: () => true,
  tasks: (request) => request.kind === "task",
  approvals: (request) => request.kind === "approval",
  decided: () => true,
};

export class Inbox extends View<Record<string, never>, State> {
  state: State = { tab: "all", chosen: [], later: [], rejecting: false };

  resources() {
    return [pending, decided] as Resource<unknown>[];
  }
  private chosen(): Request[] {
    return (pending.data ?? []).filter((request) => this.state.chosen.includes(request.id));
  }
  private async decideAll(accept: boolean): Promise<void> {
    const all = this.chosen();
    const results = await Promise.allSettled(all.map((request) =>
      respond(request.id, accept ? acceptance(request) : "rejected", "")));
    const failed = results.filter((result): result is PromiseRejectedResult => result.status === "rejected");
    if (failed.length > 0) toast(`${failed.length} of ${all.length}: ${explain(failed[0].reason, "answer them")}`, true);
    else toast(`${all.length} answered`);
    this.setState({ chosen: [] });
    await pending.load();
  }
  private bulk() {
    const chosen = this.chosen();
    if (chosen.length === 0) return null;
    return (
      <div key="bulk" class="bulk" role="region" aria-label="Chosen requests">
        <b>{chosen.length} chosen</b>
        <button type="button" class="primary" onClick={() => void this.decideAll(true)}>Accept all</button>
        <button type="button" onClick={() => this.setState({ rejecting: true })}>Reject all…</button>
        <button type="button" class="plain" onClick={() => this.setState({ chosen: [] })}>Clear</button>
      </div>
    );
  }
  private choose(id: string, on: boolean): void {
    const others = this.state.chosen.filter((one) => one !== id);
    this.setState({ chosen: on ? [...others, id] : others });
  }
  private cards(requests: Request[]) {
    const open = this.state.tab !== "decided";
    const waiting = requests.filter((request) => !this.state.later.includes(request.id));
    const later = requests.filter((request) => this.state.later.includes(request.id));
    const card = (request: Request) => (
      <RequestCard
        key={request.id}
        request={request}
        chosen={this.state.chosen.includes(request.id)}
        onChoose={open && !request.permission ? (on) => this.choose(request.id, on) : undefined}
        onLater={open && !later.includes(request) ? () => this.setState({ later: [...this.state.later, request.id] }) : undefined}
      />
    );
    return (
      <div key="cards" class="cards">
        {waiting.map(card)}
        {later.length > 0 && <h2 class="divider">Not now</h2>}
        {later.map(card)}
      </div>
    );
  }
  render() {
    const { tab } = this.state;
    const source = tab === "decided" ? decided : pending;
    const shown = (source.data ?? []).filter(inTab[tab]);
    const number = (one: Tab) => (pending.data ?? []).filter(inTab[one]).length;
    return (
      <section class="page inbox" aria-label="Inbox">
        <header class="bar"><h1>Inbox</h1></header>
        <Tabs
          label="Which requests"
          panel="requests"
          current={tab}
          onChoose={(chosen) => this.setState({ tab: chosen, chosen: [] })}
          tabs={[
            { id: "all", title: "Waiting", badge: waiting() },
            { id: "tasks", title: "Tasks", badge: number("tasks") },
            { id: "approvals", title: "Approvals", badge: number("approvals") },
            { id: "decided", title: "Decided" },
          ]}
        />
        <div id="requests" role="tabpanel" aria-labelledby={`requests-${tab}`}>
          <Failed of={source} />
          {this.bulk()}
          {!source.data && !source.error && <Skeleton />}
          {source.data && shown.length === 0 && !source.error && (
            <Empty icon="inbox" title={tab === "decided" ? "Nothing was decided yet" : "Nothing waits for you"}>
              <p>
                {tab === "decided"
                  ? "What you answer is kept here."
                  : "Agents ask here for tasks, approvals and permissions. You will see a number in the tab's title."}
              </p>
            </Empty>
          )}
          {shown.length > 0 && this.cards(shown)}
          {tab !== "decided" && unloaded() > 0 && (
            <p class="note more-waiting">
              {unloaded()} more wait.
              <button type="button" disabled={pending.loading} onClick={() => void loadMore()}>Show more</button>
            </p>
          )}
        </div>
        {this.state.rejecting && (
          <Confirm
            title={`Reject ${this.chosen().length} requests?`}
            action="Reject all"
            onConfirm={() => this.decideAll(false)}
            onClose={() => this.setState({ rejecting: false })}
          >
            <p>The agents are told, without a reason. A rejected request cannot be opened again.</p>
          </Confirm>
        )}
      </section>
    );
  }
}

import { h } from "preact";
import { agents, nameOf } from "../../core/agents";
import { explain } from "../../core/api";
import { onEvent } from "../../core/events";
import { redraw } from "../../core/redraw";
import type { Resource } from "../../core/resource";
import { agentHref } from "../../core/route";
import { toast } from "../../core/toast";
import { Icon } from "../../parts/icons";
import { Ago, Avatar } from "../../parts/marks";
import { Markdown } from "../../parts/markdown";
import { Empty, Failed, Skeleton } from "../../parts/states";
import { View } from "../../parts/view";
import { Join } from "./join";
import { loadOlder, settleDelegation, talkOf, threads, type Said, type Thread } from "./talk_data";

interface Props {
  /// Empty: all agents.
  agent: string;
}

const shownLines = 30;

const stateWords: Record<string, string> = {
  pending: "being sent", queued: "queued", dispatched: "sent", delegated: "sent", completed: "answered",
  failed: "failed", in_progress: "at work", stuck: "stuck",
};

function Line({ said, follows }: { said: Said; follows: boolean }) {
  if (follows) {
    return (
      <div class="said follows">
        <div><Markdown text={said.text || "(no text)"} /></div>
        <Ago at={said.at} />
      </div>
    );
  }
  return (
    <div class="said">
      <Avatar id={said.from} name={nameOf(said.from)} small />
      <div>
        <p class="line">
          {agents.has(said.from)
            ? <a href={agentHref(said.from)}><bdi>{nameOf(said.from)}</bdi></a>
            : <bdi>{nameOf(said.from)}</bdi>}
          <span class="dim" aria-label="to">→</span>
          <bdi class="dim">{nameOf(said.to)}</bdi>
          <Ago at={said.at} />
        </p>
        <Markdown text={said.text || "(no text)"} />
      </div>
    </div>
  );
}

export class AgentTalk extends View<Props, { pair: string; loading: boolean; shown: number }> {
  state = { pair: "", loading: false, shown: 60 };
  private timer = 0;
  private unlisten: () => void = () => undefined;

  resources({ agent }: Props) {
    return [talkOf(agent)] as Resource<unknown>[];
  }
  componentDidMount(): void {
    super.componentDidMount();
    this.unlisten = onEvent((frame) => {
      settleDelegation(frame.payload);
      const said = frame.event === "ACTIVITY_LOGGED" && !!frame.payload.source_id;
      if (!said && !frame.event.startsWith("DELEGATION_")) return;
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void talkOf(this.props.agent).load(), 200);
    });
  }
  componentWillUnmount(): void {
    super.componentWillUnmount();
    clearTimeout(this.timer);
    this.unlisten();
  }
  private readonly older = async (): Promise<void> => {
    this.setState({ loading: true });
    try {
      await loadOlder(this.props.agent);
    } catch (error) {
      toast(explain(error, "load older talk"), true);
    }
    this.setState({ loading: false, shown: this.state.shown + 60 });
    redraw();
  };
  private pairs(all: Thread[]) {
    const counts = new Map<string, number>();
    for (const thread of all) counts.set(thread.pair, (counts.get(thread.pair) ?? 0) + thread.said.length);
    if (counts.size < 2) return null;
    const choose = (pair: string) => () => this.setState({ pair, shown: 60 });
    return (
      <div key="pairs" class="filters pairs" role="group" aria-label="Whose talk">
        <button type="button" class="pill" aria-pressed={this.state.pair ? "false" : "true"} onClick={choose("")}>
          everyone
        </button>
        {[...counts].sort((a, b) => b[1] - a[1]).slice(0, 30).map(([pair, number]) => {
          const [one, other] = pair.split(" ");
          return (
            <button
              type="button"
              class="pill"
              key={pair}
              aria-pressed={this.state.pair === pair ? "true" : "false"}
              onClick={choose(pair)}
            >
              <bdi>{nameOf(one)}</bdi> ↔ <bdi>{nameOf(other)}</bdi> <b>{number}</b>
            </button>
          );
        })}
      </div>
    );
  }
  private thread(thread: Thread) {
    const ends = thread.pair.split(" ").filter((id) => agents.has(id));
    return (
      <article class="card talk-thread" key={thread.key} aria-label={`Thread: ${thread.said[0].text.slice(0, 60)}`}>
        {thread.state && (
          <p class="line">
            <span class={`chip ${thread.state}`}>delegation · {stateWords[thread.state] ?? thread.state}</span>
          </p>
        )}
        {thread.said.length > shownLines && <p class="hint">{thread.said.length - shownLines} earlier messages</p>}
        {thread.said.slice(-shownLines).map((said, at, lines) => (
          <Line key={said.id} said={said} follows={at > 0 && lines[at - 1].from === said.from && lines[at - 1].to === said.to} />
        ))}
        {ends.length > 0 && <Join ends={ends} about={thread.said[0].text} />}
      </article>
    );
  }
  render() {
    const talk = talkOf(this.props.agent);
    const all = threads(talk.data?.said ?? []);
    const matching = all.filter((thread) => !this.state.pair || thread.pair === this.state.pair);
    const shown = matching.slice(0, this.state.shown);
    const more = matching.length > shown.length || !!talk.data?.before;
    return (
      <section class="page talk" aria-label="Agent talk">
        {!this.props.agent && <header class="bar"><h1>Agent talk</h1></header>}
        <p class="hint">What agents say to each other. Looking here marks nothing as read.</p>
        <Failed of={talk} />
        {this.pairs(all)}
        {!talk.data && !talk.error && <Skeleton />}
        {talk.data && all.length === 0 && !talk.error && (
          <Empty icon="talk" title="No agent has written to another yet">
            <p>Agents that share a parent, or have none, may write to each other.</p>
          </Empty>
        )}
        <div key="cards" class="cards">{shown.map((thread) => this.thread(thread))}</div>
        {more && (
          <button type="button" class="more" disabled={this.state.loading} onClick={this.older}>
            <Icon name="down" /> Older
          </button>
        )}
      </section>
    );
  }
}

import { h } from "preact";
import { isOnline, type Agent } from "../../core/agents";
import { conversation, type Bubble } from "../../core/conversation";
import { isOpen, pending } from "../../core/requests";
import { Icon } from "../../parts/icons";
import { Empty, Failed, Skeleton } from "../../parts/states";
import { View } from "../../parts/view";
import { RequestCard } from "../inbox/card";
import { Message } from "./bubble";
import { Composer } from "./composer";
import { around, earlier, later, visible, type Span } from "./window";

interface Props {
  agent: Agent;
}

interface State {
  span: Span;
  stuck: boolean;
  unseen: boolean;
  /// The key of a message that was sought, until it has been looked at.
  sought: string;
}

const near = 80;
const soughtTime = 2500;

export class Chat extends View<Props, State> {
  state: State = { span: { from: 0, atEnd: true }, stuck: true, unseen: false, sought: "" };
  private log: HTMLElement | null = null;
  private anchor: { element: HTMLElement; top: number } | null = null;
  private newest = "";
  private moving = false;

  resources({ agent }: Props) {
    return [conversation(agent.id).latest];
  }
  componentDidMount(): void {
    super.componentDidMount();
    this.settle();
  }
  /// Remembers where one visible message is, to put it there again whatever is drawn above it.
  componentWillUpdate(): void {
    this.anchor = null;
    if (!this.log || this.state.stuck) return;
    const edge = this.log.getBoundingClientRect().top;
    for (const element of this.log.querySelectorAll<HTMLElement>("[data-key]")) {
      const box = element.getBoundingClientRect();
      if (box.bottom < edge) continue;
      this.anchor = { element, top: box.top };
      return;
    }
  }
  componentDidUpdate(): void {
    super.componentDidUpdate();
    this.settle();
  }
  /// Goes to the message that somebody looks for; true if that moves the log.
  private seek(log: HTMLElement): boolean {
    const chat = conversation(this.props.agent.id);
    const { sought } = chat;
    const at = chat.bubbles.findIndex((bubble) => bubble.key === sought);
    if (!sought || at < 0) return false;
    const element = log.querySelector<HTMLElement>(`[data-key="${CSS.escape(sought)}"]`);
    if (!element || this.state.sought !== sought) {
      this.setState({ span: around(at, chat.bubbles.length), stuck: false, sought });
      return true;
    }
    chat.sought = "";
    this.moving = true;
    element.scrollIntoView({ block: "center" });
    setTimeout(() => this.setState({ sought: "" }), soughtTime);
    return true;
  }
  private settle(): void {
    const log = this.log;
    if (!log) return;
    if (this.seek(log)) {
      requestAnimationFrame(() => (this.moving = false));
      return;
    }
    const bubbles = conversation(this.props.agent.id).bubbles;
    const last = bubbles[bubbles.length - 1]?.key ?? "";
    if (this.state.stuck) {
      log.scrollTop = log.scrollHeight;
    } else if (this.anchor?.element.isConnected) {
      log.scrollTop += this.anchor.element.getBoundingClientRect().top - this.anchor.top;
    }
    if (last !== this.newest) {
      const first = this.newest === "";
      this.newest = last;
      if (!first && !this.state.stuck) this.setState({ unseen: true });
    }
    // Formatting and pictures make it higher after it was drawn.
    requestAnimationFrame(() => {
      if (this.log && this.state.stuck) this.log.scrollTop = this.log.scrollHeight;
      this.moving = false;
    });
  }
  private readonly scroll = (): void => {
    const log = this.log;
    if (!log || this.moving) return;
    const chat = conversation(this.props.agent.id);
    const length = chat.bubbles.length;
    const { span } = this.state;
    const below = log.scrollHeight - log.scrollTop - log.clientHeight;
    const stuck = span.atEnd && below < near;
    if (stuck !== this.state.stuck) this.setState({ stuck, unseen: stuck ? false : this.state.unseen });
    let next = span;
    if (log.scrollTop < 400) {
      next = earlier(span, length);
      if (visible(next, length).from === 0 && !chat.reachedEnd) {
        this.pin();
        void chat.loadOlder();
      }
    } else if (below < 400) {
      next = later(span, length);
    }
    if (next !== span) {
      this.moving = true;
      this.setState({ span: next, stuck: false });
    }
  };
  /// Older messages come in before the window: it has to stay on the same messages.
  private pin(): void {
    const chat = conversation(this.props.agent.id);
    const length = chat.bubbles.length;
    const { span } = this.state;
    if (!span.atEnd || length < 120) return;
    this.setState({ span: { from: visible(span, length).from, atEnd: false } });
  }
  private readonly toEnd = (): void => {
    this.setState({ span: { from: 0, atEnd: true }, stuck: true, unseen: false });
  };
  private messages(bubbles: Bubble[]) {
    const { agent } = this.props;
    const chat = conversation(agent.id);
    const byMessage = new Map(bubbles.filter((bubble) => bubble.messageId).map((bubble) => [bubble.messageId, bubble]));
    const { from, to } = visible(this.state.span, bubbles.length);
    let day = "";
    const out = [];
    for (let at = from; at < to; at += 1) {
      const bubble = bubbles[at];
      const its = new Date(bubble.at).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
      if (its !== day) {
        day = its;
        out.push(<p key={`day ${its}`} class="day"><span>{its}</span></p>);
      }
      const previous = bubbles[at - 1];
      // An answer right below its question needs no quotation.
      const question = bubble.replyTo ? byMessage.get(bubble.replyTo) : undefined;
      const quoted = question && question !== previous ? question : undefined;
      out.push(
        <Message
          key={bubble.messageId ? `${bubble.role} ${bubble.messageId}` : bubble.key}
          chat={chat}
          bubble={bubble}
          who={agent.name}
          question={quoted}
          sought={this.state.sought === bubble.key}
          version={
            `${chat.progress(bubble)} ${bubble.text.length} ${bubble.files.length} ${bubble.error} ` +
            `${quoted?.key ?? ""} ${this.state.sought === bubble.key}`
          }
        />,
      );
    }
    return out;
  }
  render() {
    const { agent } = this.props;
    const chat = conversation(agent.id);
    const bubbles = chat.bubbles;
    const loading = !chat.latest.data && bubbles.length === 0;
    const asks = (pending.data ?? []).filter((request) => request.agent === agent.id && isOpen(request));
    return (
      <div class="chat">
        <div
          class="log"
          role="log"
          aria-label={`Messages with ${agent.name}`}
          aria-live="polite"
          tabIndex={0}
          ref={(element?: Element) => (this.log = (element as HTMLElement) ?? null)}
          onScroll={this.scroll}
        >
          {!chat.latest.missing && <Failed of={chat.latest} />}
          {loading && !chat.latest.error && <Skeleton rows={3} />}
          {!loading && bubbles.length === 0 && !chat.latest.error && (
            <Empty icon="talk" title="Nothing said yet">
              <p>{isOnline(agent) ? "The agent is online. Write the first message." : "Write the first message; it waits in the agent's inbox."}</p>
            </Empty>
          )}
          {chat.loadingOlder && <p class="day"><span>Loading older messages…</span></p>}
          {chat.reachedEnd && bubbles.length > 20 && <p class="day"><span>The beginning</span></p>}
          {this.messages(bubbles)}
          {asks.map((request) => (
            <RequestCard key={request.id} request={request} inline />
          ))}
        </div>
        {!this.state.stuck ? (
          <button type="button" class="to-end" onClick={this.toEnd}>
            <Icon name="down" /> {this.state.unseen ? "New messages" : "To the newest"}
          </button>
        ) : null}
        {agent.task && (
          <p class="working" role="status">
            <span class="pulse" aria-hidden="true" />
            <bdi title={agent.task}>{agent.task}</bdi>
          </p>
        )}
        <Composer key={agent.id} agent={agent} chat={chat} onSend={this.toEnd} />
      </div>
    );
  }
}

import { h, Component } from "preact";
import { ApiError, explain } from "../../core/api";
import { agents, nameOf } from "../../core/agents";
import { acceptance, isOpen, pending, remark, respond, threadOf, type Action, type Request } from "../../core/requests";
import { agentHref } from "../../core/route";
import { toast } from "../../core/toast";
import { Icon } from "../../parts/icons";
import { Ago } from "../../parts/marks";
import { Markdown } from "../../parts/markdown";
import { Failed } from "../../parts/states";
import { valueOf } from "../../parts/view";

interface Props {
  request: Request;
  /// Within a chat, where the agent is known.
  inline?: boolean;
  chosen?: boolean;
  onChoose?: (chosen: boolean) => void;
  onLater?: () => void;
}

interface State {
  open: "" | "reason" | "thread";
  words: string;
  busy: boolean;
  whole: boolean;
}

const longDetail = 400;

/// One request. What it asks is shown as data; only these buttons decide.
export class RequestCard extends Component<Props, State> {
  state: State = { open: "", words: "", busy: false, whole: false };
  private readonly thread = threadOf(this.props.request.id);

  componentDidUpdate(): void {
    // What others write into an open one appears by itself.
    const wanted = this.state.open === "thread";
    if (wanted === this.thread.isOpen) return;
    if (wanted) this.thread.open();
    else this.thread.close();
  }
  componentWillUnmount(): void {
    if (this.thread.isOpen) this.thread.close();
  }

  private async decide(action: Action): Promise<void> {
    const { request } = this.props;
    this.setState({ busy: true });
    try {
      await respond(request.id, action, this.state.words.trim());
      toast(`${action === "done" ? "Marked as done" : action === "approved" ? "Approved" : "Rejected"}: ${request.title}`);
    } catch (error) {
      const gone = error instanceof ApiError && error.status === 404;
      toast(gone ? "It was already answered or withdrawn." : explain(error, "answer this request"), true);
    }
    await pending.load();
    this.setState({ busy: false, open: "", words: "" });
  }
  private readonly say = async (event: Event): Promise<void> => {
    event.preventDefault();
    const words = this.state.words.trim();
    if (!words) return;
    this.setState({ busy: true });
    try {
      await remark(this.props.request.id, words);
      this.setState({ words: "" });
      await this.thread.load();
    } catch (error) {
      toast(explain(error, "send this"), true);
    }
    this.setState({ busy: false });
  };
  private detail() {
    const { request } = this.props;
    if (!request.detail) return null;
    const long = request.detail.length > longDetail || request.detail.split("\n").length > 6;
    return (
      <div class={long && !this.state.whole ? "detail cut" : "detail"}>
        <Markdown text={request.detail} />
        {long && (
          <button type="button" class="plain" onClick={() => this.setState({ whole: !this.state.whole })}>
            {this.state.whole ? "Show less" : "Show more"}
          </button>
        )}
      </div>
    );
  }
  private buttons() {
    const { request, onLater } = this.props;
    const { busy, open } = this.state;
    const accept = acceptance(request);
    const word = request.permission ? "Allow" : accept === "approved" ? "Approve" : "Done";
    return (
      <div class="actions">
        <button type="button" class="primary" disabled={busy} onClick={() => void this.decide(accept)}>
          <Icon name="check" /> {word}
        </button>
        <button
          type="button"
          disabled={busy}
          aria-expanded={open === "reason" ? "true" : "false"}
          onClick={() => this.setState({ open: open === "reason" ? "" : "reason" })}
        >
          {request.permission ? "Deny…" : "Reject…"}
        </button>
        {!request.permission && (
          <button
            type="button"
            class="plain"
            aria-expanded={open === "thread" ? "true" : "false"}
            onClick={() => this.setState({ open: open === "thread" ? "" : "thread" })}
          >
            Ask or answer
          </button>
        )}
        {onLater && (
          <button type="button" class="plain" disabled={busy} onClick={onLater}>Not now</button>
        )}
      </div>
    );
  }
  private reasonForm() {
    const { request } = this.props;
    return (
      <form class="reason" onSubmit={(event: Event) => { event.preventDefault(); void this.decide("rejected"); }}>
        <label class="field">
          <span>Why? <i>optional; the agent reads it</i></span>
          <input autofocus value={this.state.words} onInput={(event: Event) => this.setState({ words: valueOf(event) })} />
        </label>
        <button class="danger" disabled={this.state.busy}>{request.permission ? "Deny" : "Reject"}</button>
      </form>
    );
  }
  private threadPart() {
    const { words, busy } = this.state;
    const remarks = this.thread.data;
    return (
      <div class="thread">
        <Failed of={this.thread} />
        {!remarks && !this.thread.error && <p class="hint" role="status">Loading…</p>}
        {remarks?.length === 0 && <p class="hint">No question yet. The agent is told when you ask one.</p>}
        {remarks?.map((one) => (
          <div key={one.id} class={one.byPerson ? "remark mine" : "remark"}>
            <b>{one.byPerson ? "You" : nameOf(one.author)}</b> <Ago at={one.at} />
            <Markdown text={one.body} />
          </div>
        ))}
        <form class="reason" onSubmit={this.say}>
          <label class="field">
            <span class="hidden">Your question or answer</span>
            <input autofocus placeholder="Ask for what is missing" value={words} onInput={(event: Event) => this.setState({ words: valueOf(event) })} />
          </label>
          <button disabled={busy || !words.trim()}>Send</button>
        </form>
      </div>
    );
  }
  render() {
    const { request, inline, chosen, onChoose } = this.props;
    const open = isOpen(request);
    const who = request.agentName || nameOf(request.agent);
    const kind = request.permission ? "permission" : request.kind;
    return (
      <article class={`card request ${kind}`} data-request={request.id} aria-label={`${kind} from ${who}: ${request.title}`}>
        <header>
          {onChoose && (
            <input
              type="checkbox"
              aria-label={`Choose “${request.title}”`}
              checked={!!chosen}
              onChange={(event: Event) => onChoose((event.target as HTMLInputElement).checked)}
            />
          )}
          <span class={`chip kind ${kind}`}>
            {request.permission && <Icon name="shield" />}
            {kind}
          </span>
          {request.priority > 0 && <span class="chip urgent">priority {request.priority}</span>}
          {request.status === "info_requested" && <span class="chip">question open</span>}
          {!open && <span class={`chip ${request.status}`}>{request.status}</span>}
          <span class="asked">
            {!inline && (agents.has(request.agent)
              ? <a href={agentHref(request.agent)}><bdi>{who}</bdi></a>
              : <bdi>{who}</bdi>)}{" "}
            <Ago at={open ? request.created : request.responded || request.created} />
          </span>
        </header>
        <h2 dir="auto">{request.title}</h2>
        {request.permission && (
          <dl class="facts">
            <dt>Tool</dt><dd><code>{request.tool || "unknown"}</code></dd>
            {request.host && <dt>Session</dt>}{request.host && <dd><bdi>{request.host}</bdi></dd>}
          </dl>
        )}
        {this.detail()}
        {request.preview && <pre class="preview" tabIndex={0} role="group" aria-label="What the tool would get">{request.preview}</pre>}
        {!open && request.reason && <p class="hint">Reason: <bdi>{request.reason}</bdi></p>}
        {open && this.buttons()}
        {this.state.open === "reason" && open && this.reasonForm()}
        {this.state.open === "thread" && this.threadPart()}
      </article>
    );
  }
}

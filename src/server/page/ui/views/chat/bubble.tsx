import { h, Component } from "preact";
import { clock } from "../../core/agents";
import { explain } from "../../core/api";
import type { Bubble, Conversation, FileRef } from "../../core/conversation";
import { download, isPicture, pictureUrl, size } from "../../core/files";
import { toast } from "../../core/toast";
import { Icon } from "../../parts/icons";
import { Markdown } from "../../parts/markdown";

/// A picture, fetched with the credential.
class Picture extends Component<{ agent: string; file: FileRef }, { url: string }> {
  state = { url: "" };
  private gone = false;
  componentDidMount(): void {
    pictureUrl(this.props.agent, this.props.file).then((url) => {
      if (this.gone) URL.revokeObjectURL(url);
      else this.setState({ url });
    }, () => undefined);
  }
  componentWillUnmount(): void {
    this.gone = true;
    if (this.state.url) URL.revokeObjectURL(this.state.url);
  }
  render() {
    return this.state.url ? <img src={this.state.url} alt={this.props.file.name} /> : <span class="no-picture" />;
  }
}

function Attachment({ agent, file }: { agent: string; file: FileRef }) {
  const save = () => download(agent, file).catch((error: unknown) => toast(explain(error, `download ${file.name}`), true));
  return (
    <span class="attachment">
      {isPicture(file) && <Picture key={file.uri} agent={agent} file={file} />}
      <button type="button" class="file" disabled={!file.uri} onClick={save} aria-label={`Download ${file.name}`}>
        <Icon name="file" />
        <bdi class="file-name" title={file.name}>{file.name}</bdi>
        {file.size > 0 && <span class="dim">{size(file.size)}</span>}
        <Icon name="download" />
      </button>
    </span>
  );
}

const progressWords: Record<string, string> = {
  sending: "sending…",
  sent: "sent",
  fetched: "fetched by the agent",
  handled: "handled",
};

interface Props {
  chat: Conversation;
  bubble: Bubble;
  who: string;
  question: Bubble | undefined;
  sought: boolean;
  version: string;
}

export class Message extends Component<Props, Record<string, never>> {
  shouldComponentUpdate(next: Props): boolean {
    return next.version !== this.props.version || next.bubble !== this.props.bubble || next.who !== this.props.who;
  }
  render() {
    const { chat, bubble, who, question, sought } = this.props;
    const mine = bubble.role === "user";
    const progress = chat.progress(bubble);
    return (
      <article class={`message ${bubble.role} ${progress}${sought ? " sought" : ""}`} data-key={bubble.key} aria-label={mine ? "You" : who}>
        {question && (
          <p class="quoted" dir="auto">
            <span class="hidden">Answer to: </span>
            {question.text.slice(0, 120) || "a file"}
          </p>
        )}
        {bubble.text && <Markdown text={bubble.text} />}
        {bubble.files.length > 0 && (
          <div class="attachments">
            {bubble.files.map((file) => (
              <Attachment agent={chat.agent} file={file} />
            ))}
          </div>
        )}
        <footer>
          <time dateTime={new Date(bubble.at).toISOString()}>{clock(bubble.at)}</time>
          {mine && progress !== "failed" && <span class={`progress ${progress}`}>{progressWords[progress]}</span>}
        </footer>
        {bubble.state === "failed" && (
          <div class="failed" role="alert">
            <span>{bubble.error}</span>
            <button type="button" onClick={() => void chat.retry(bubble)}>
              <Icon name="retry" /> Send again
            </button>
            <button type="button" class="plain" onClick={() => chat.discard(bubble)}>Discard</button>
          </div>
        )}
      </article>
    );
  }
}

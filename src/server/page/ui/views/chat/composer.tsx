import { h, Component } from "preact";
import { isOnline, neverConnected, type Agent } from "../../core/agents";
import type { Conversation } from "../../core/conversation";
import { size } from "../../core/files";
import { draft, keepDraft } from "../../core/settings";
import { toast } from "../../core/toast";
import { Icon } from "../../parts/icons";

const maxFiles = 10;
const maxFileBytes = 100 * 1024 * 1024;

interface Props {
  agent: Agent;
  chat: Conversation;
  onSend: () => void;
}

export class Composer extends Component<Props, { files: File[]; words: string; over: boolean }> {
  state = { files: [] as File[], words: draft(this.place()), over: false };
  private field: HTMLTextAreaElement | null = null;
  private picker: HTMLInputElement | null = null;

  private place(): string {
    return `chat.${this.props.agent.id}`;
  }
  componentDidMount(): void {
    this.grow();
    // On a phone the keyboard would cover what is to be read.
    if (matchMedia("(hover: hover)").matches) this.field?.focus();
  }
  componentDidUpdate(): void {
    this.grow();
  }
  private grow(): void {
    if (!this.field) return;
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight + 2, 220)}px`;
  }
  private readonly type = (event: Event): void => {
    const words = (event.target as HTMLTextAreaElement).value;
    keepDraft(this.place(), words);
    this.setState({ words });
  };
  /// Enter sends, Shift+Enter breaks the line, and neither while an input method composes.
  private readonly key = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.send();
  };
  private send(): void {
    const words = this.state.words.trim();
    if (!words && this.state.files.length === 0) return;
    void this.props.chat.send(words, this.state.files);
    keepDraft(this.place(), "");
    this.setState({ words: "", files: [] });
    this.props.onSend();
    this.field?.focus();
  }
  private take(list: FileList | null): void {
    const chosen = [...(list ?? [])];
    const large = chosen.find((file) => file.size > maxFileBytes);
    if (large) toast(`${large.name} has more than ${size(maxFileBytes)}: the platform takes no larger file.`, true);
    const files = [...this.state.files, ...chosen.filter((file) => file.size <= maxFileBytes)];
    if (files.length > maxFiles) toast(`A message has at most ${maxFiles} files. Send the others with the next one.`, true);
    this.setState({ files: files.slice(0, maxFiles) });
  }
  private readonly submit = (event: Event): void => {
    event.preventDefault();
    this.send();
  };
  private readonly over = (event: DragEvent): void => {
    event.preventDefault();
    if (!this.state.over) this.setState({ over: true });
  };
  private readonly drop = (event: DragEvent): void => {
    event.preventDefault();
    this.setState({ over: false });
    this.take(event.dataTransfer?.files ?? null);
  };
  private readonly paste = (event: ClipboardEvent): void => {
    if (event.clipboardData?.files.length) {
      event.preventDefault();
      this.take(event.clipboardData.files);
    }
  };
  render() {
    const { agent } = this.props;
    const { files, words, over } = this.state;
    return (
      <form
        class={over ? "composer over" : "composer"}
        onSubmit={this.submit}
        onDragOver={this.over}
        onDragLeave={() => this.setState({ over: false })}
        onDrop={this.drop}
      >
        {!isOnline(agent) && (
          <p class="note">
            <bdi>{agent.name}</bdi> {neverConnected(agent)
              ? "has not connected yet. What you send will be read when it does."
              : "is away. What you send will be read when it is back."}
          </p>
        )}
        {files.length > 0 && (
          <ul class="chosen">
            {files.map((file, at) => (
              <li class="chip">
                <bdi>{file.name}</bdi> {size(file.size)}
                <button
                  type="button"
                  class="plain"
                  aria-label={`Leave out ${file.name}`}
                  onClick={() => this.setState({ files: files.filter((_, other) => other !== at) })}
                >
                  <Icon name="close" />
                </button>
              </li>
            ))}
          </ul>
        )}
        <div class="compose-line">
          <input
            type="file"
            multiple
            hidden
            tabIndex={-1}
            aria-hidden="true"
            ref={(element?: Element) => (this.picker = (element as HTMLInputElement) ?? null)}
            onChange={(event: Event) => {
              const input = event.target as HTMLInputElement;
              this.take(input.files);
              input.value = "";
            }}
          />
          <button type="button" class="plain square" aria-label="Attach files" onClick={() => this.picker?.click()}>
            <Icon name="attach" />
          </button>
          <textarea
            rows={1}
            dir="auto"
            aria-label={`Message to ${agent.name}`}
            placeholder="Write a message"
            value={words}
            ref={(element?: Element) => (this.field = (element as HTMLTextAreaElement) ?? null)}
            onInput={this.type}
            onKeyDown={this.key}
            onPaste={this.paste}
          />
          <button class="primary square" aria-label="Send" disabled={!words.trim() && files.length === 0}>
            <Icon name="send" />
          </button>
        </div>
        <p class="hint keys">Enter sends · Shift+Enter starts a line · drop or paste files</p>
      </form>
    );
  }
}

import { h, Component } from "preact";
import { Icon } from "./icons";

/// Copies `text`; where the clipboard refuses, selects it for Ctrl-C.
export class Copy extends Component<{ text: string; label: string; target?: () => HTMLElement | null }, { done: "" | "copied" | "selected" }> {
  state = { done: "" as const };
  private timer = 0;
  componentWillUnmount(): void {
    clearTimeout(this.timer);
  }
  private say(done: "copied" | "selected"): void {
    this.setState({ done });
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.setState({ done: "" }), done === "copied" ? 2000 : 6000);
  }
  private readonly copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(this.props.text);
      this.say("copied");
    } catch {
      const element = this.props.target?.();
      if (!element) return;
      const range = document.createRange();
      range.selectNodeContents(element);
      const selection = getSelection();
      selection?.removeAllRanges();
      selection?.addRange(range);
      this.say("selected");
    }
  };
  render() {
    const done: string = this.state.done;
    return (
      <button type="button" class="copy" onClick={this.copy} aria-label={`Copy ${this.props.label}`}>
        <Icon name={done === "copied" ? "check" : "copy"} />
        <span aria-live="polite">{done === "copied" ? "Copied" : done === "selected" ? "Selected: press Ctrl-C" : "Copy"}</span>
      </button>
    );
  }
}

/// Text to copy as it is.
export class Snippet extends Component<{ text: string; label: string }, Record<string, never>> {
  private element: HTMLElement | null = null;
  render() {
    const { text, label } = this.props;
    return (
      <div class="snippet">
        <pre tabIndex={0} role="group" aria-label={label}>
          <code ref={(element?: Element) => (this.element = (element as HTMLElement) ?? null)}>{text}</code>
        </pre>
        <Copy text={text} label={label} target={() => this.element} />
      </div>
    );
  }
}

import { h, Component } from "preact";
import { size } from "../core/files";
import { markdown } from "../core/markdown";

const formatted = 20_000;
const shownAtOnce = 4_000;

interface Props {
  text: string;
}

/// Somebody's text. A very long one is shown in part, and as plain text: formatting it would stop
/// the page.
export class Markdown extends Component<Props, { whole: boolean }> {
  state = { whole: false };
  private element: HTMLElement | null = null;
  private drawn = "";

  componentDidMount(): void {
    this.fill();
  }
  componentDidUpdate(): void {
    this.fill();
  }
  shouldComponentUpdate(next: Props, state: { whole: boolean }): boolean {
    return next.text !== this.props.text || state.whole !== this.state.whole;
  }
  private fill(): void {
    if (!this.element || this.props.text.length > formatted || this.drawn === this.props.text) return;
    this.drawn = this.props.text;
    this.element.replaceChildren(markdown(this.props.text));
  }
  render() {
    const { text } = this.props;
    if (text.length <= formatted) {
      return <div class="markdown" dir="auto" ref={(element?: Element) => (this.element = (element as HTMLElement) ?? null)} />;
    }
    this.element = null;
    this.drawn = "";
    return (
      <div class="markdown">
        <p class="long" dir="auto">{this.state.whole ? text : `${text.slice(0, shownAtOnce)}…`}</p>
        {!this.state.whole && (
          <button type="button" onClick={() => this.setState({ whole: true })}>
            Show all of it ({size(text.length)})
          </button>
        )}
      </div>
    );
  }
}

import { h, Component } from "preact";
import { nameOf } from "../../core/agents";
import { conversation } from "../../core/conversation";
import { toast } from "../../core/toast";
import { valueOf } from "../../parts/view";

interface Props {
  ends: string[];
  about: string;
}

/// The person joins in as themselves: the message goes to one of the two, as from the person.
export class Join extends Component<Props, { open: boolean; to: string; words: string }> {
  state = { open: false, to: "", words: "" };

  private readonly send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const words = this.state.words.trim();
    if (!words) return;
    const to = this.state.to || this.props.ends[0];
    const about = this.props.about.replace(/\s+/g, " ").slice(0, 100);
    const chat = conversation(to);
    this.setState({ open: false, words: "" });
    await chat.send(`> ${about}\n\n${words}`, []);
    const failed = chat.bubbles.some((bubble) => bubble.state === "failed");
    toast(failed ? `Not sent to ${nameOf(to)}: open its chat to send it again.` : `Sent to ${nameOf(to)}`, failed);
  };
  render() {
    if (!this.state.open) {
      return (
        <p class="actions">
          <button type="button" class="plain" onClick={() => this.setState({ open: true })}>Join in</button>
        </p>
      );
    }
    const { ends } = this.props;
    return (
      <form class="reason join" onSubmit={this.send}>
        {ends.length > 1 && (
          <label class="field">
            <span class="hidden">To</span>
            <select value={this.state.to || ends[0]} onChange={(event: Event) => this.setState({ to: valueOf(event) })}>
              {ends.map((id) => (
                <option value={id}>to {nameOf(id)}</option>
              ))}
            </select>
          </label>
        )}
        <label class="field">
          <span class="hidden">Your message</span>
          <input autofocus placeholder="As yourself" value={this.state.words} onInput={(event: Event) => this.setState({ words: valueOf(event) })} />
        </label>
        <button disabled={!this.state.words.trim()}>Send</button>
      </form>
    );
  }
}

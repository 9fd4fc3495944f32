import { h, Component } from "preact";
import { now } from "../core/clock";
import { statusOf, type Agent } from "../core/agents";

/// The initials of an agent on its own colour.
export function Avatar({ id, name, small }: { id: string; name: string; small?: boolean }) {
  const words = name.replace(/[^\p{L}\p{N} _.-]/gu, "").split(/[ _.-]+/).filter(Boolean);
  const letters = [...(words[0] ?? "?")].slice(0, words.length > 1 ? 1 : 2).join("") + ([...(words[1] ?? "")][0] ?? "");
  let hash = 7;
  for (const letter of id) hash = (hash * 31 + letter.charCodeAt(0)) % 360;
  return (
    <span class={`avatar hue${Math.floor(hash / 45)}${small ? " small" : ""}`} aria-hidden="true">
      {letters.toUpperCase()}
    </span>
  );
}

/// Never by colour alone: the word stands beside the dot.
export function Status({ agent }: { agent: Agent }) {
  const { word, tone } = statusOf(agent);
  return (
    <span class={`status ${tone}`}>
      <span class="dot" aria-hidden="true" />
      {word}
    </span>
  );
}

export function ago(at: number): string {
  const seconds = Math.max(0, Math.round((now() - at) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

const ticking = new Set<Ago>();
setInterval(() => {
  if (!document.hidden) for (const one of ticking) one.tick();
}, 1000);

/// A time that counts by itself, without the page being drawn.
export class Ago extends Component<{ at: number }, Record<string, never>> {
  private shown = "";
  componentDidMount(): void {
    ticking.add(this);
  }
  componentWillUnmount(): void {
    ticking.delete(this);
  }
  tick(): void {
    if (ago(this.props.at) !== this.shown) this.forceUpdate();
  }
  render() {
    this.shown = ago(this.props.at);
    const date = new Date(this.props.at);
    return (
      <time dateTime={date.toISOString()} title={date.toLocaleString()}>
        {this.shown}
      </time>
    );
  }
}

/// Messages of the last hour.
export function Sparkline({ values }: { values: number[] }) {
  const total = values.reduce((sum, value) => sum + value, 0);
  const top = Math.max(4, ...values);
  const step = 72 / Math.max(1, values.length);
  const bars = values.map((value, at) => {
    const height = value === 0 ? 1 : 2 + (value / top) * 18;
    return `M${(at * step + 1).toFixed(1)} 22v-${height.toFixed(1)}`;
  });
  const words = `${total} message${total === 1 ? "" : "s"} in the last hour`;
  return (
    <svg class={`sparkline${total ? "" : " quiet"}`} viewBox="0 0 72 24" role="img" aria-label={words}>
      <title>{words}</title>
      <path d={bars.join("")} />
    </svg>
  );
}

export function Skills({ names }: { names: string[] }) {
  if (names.length === 0) return null;
  return (
    <span class="skills">
      {names.slice(0, 4).map((skill) => (
        <span class="chip" title={skill}>
          <bdi>{skill}</bdi>
        </span>
      ))}
      {names.length > 4 && (
        <span class="chip more" title={names.slice(4).join(", ")}>
          +{names.length - 4}
        </span>
      )}
    </span>
  );
}

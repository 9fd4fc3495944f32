import { h, Component } from "preact";
import { agentList, agents, nameOf, statusOf, type Pair } from "../../core/agents";
import { onEvent, recentPairs } from "../../core/events";
import { agentHref, go } from "../../core/route";
import { ui } from "../../core/ui";
import { Icon } from "../../parts/icons";
import { Empty, Failed, Skeleton } from "../../parts/states";
import { box, layout, type Spot } from "./layout";
import { line } from "./line";
import { fitted, zoomed, type Camera } from "./view_box";

interface State {
  camera: Camera | null;
  width: number;
  height: number;
  pulses: { key: number; from: string; to: string }[];
}

// Below it names would be too short to tell at first sight; a few agents are seen all at once.
const firstScale = 0.7;
const few = { agents: 16, scale: 0.4 };
/// As the animation of `.passing`.
const pulseTime = 1200;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/// By whole characters, whatever they are made of; names of a series differ at their end.
function shorten(words: string, room: number): string {
  const letters = [...words];
  if (letters.length <= room) return words;
  const tail = room < 6 ? 0 : Math.min(4, Math.floor(room / 2));
  return `${letters.slice(0, room - 1 - tail).join("")}…${letters.slice(letters.length - tail).join("")}`;
}

export class AgentMap extends Component<Record<string, never>, State> {
  state: State = { camera: null, width: 0, height: 0, pulses: [] };
  private element: SVGSVGElement | null = null;
  private drag: { x: number; y: number; moved: boolean } | null = null;
  private unlisten: () => void = () => undefined;
  private next = 1;
  private readonly resized = new ResizeObserver(() => this.measure());

  componentDidMount(): void {
    if (this.element) this.resized.observe(this.element);
    this.measure();
    this.unlisten = onEvent((frame) => {
      const from = frame.event === "ACTIVITY_LOGGED" ? frame.payload.source_id : "";
      if (typeof from === "string" && from && from !== frame.agent) this.pulse(from, frame.agent);
    });
  }
  componentDidUpdate(): void {
    if (this.element && this.state.width === 0) {
      this.resized.observe(this.element);
      this.measure();
    }
  }
  componentWillUnmount(): void {
    this.resized.disconnect();
    this.unlisten();
  }
  private measure(): void {
    const box_ = this.element?.getBoundingClientRect();
    if (!box_ || (box_.width === this.state.width && box_.height === this.state.height)) return;
    this.setState({ width: box_.width, height: box_.height });
  }
  private pulse(from: string, to: string): void {
    if (calm.matches || document.hidden) return;
    const key = this.next++;
    this.setState({ pulses: [...this.state.pulses.slice(-30), { key, from, to }] });
    setTimeout(() => this.setState({ pulses: this.state.pulses.filter((one) => one.key !== key) }), pulseTime);
  }
  private picture() {
    const { width, height } = this.state;
    return layout([...agents.values()], width && height ? width / height : 1.6);
  }
  private camera(): Camera {
    const { camera, width, height } = this.state;
    if (camera) return camera;
    const picture = this.picture();
    return fitted(picture.width, picture.height, width || 1000, height || 600, agents.size <= few.agents ? few.scale : firstScale);
  }
  private readonly fit = (): void => {
    const picture = this.picture();
    this.setState({ camera: fitted(picture.width, picture.height, this.state.width, this.state.height) });
  };
  private zoom(factor: number, x = this.state.width / 2, y = this.state.height / 2): void {
    this.setState({ camera: zoomed(this.camera(), factor, x, y) });
  }
  private readonly wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const box_ = this.element?.getBoundingClientRect();
    if (box_) this.zoom(Math.exp(-event.deltaY / 400), event.clientX - box_.left, event.clientY - box_.top);
  };
  private readonly down = (event: PointerEvent): void => {
    this.drag = { x: event.clientX, y: event.clientY, moved: false };
  };
  private readonly move = (event: PointerEvent): void => {
    const { drag } = this;
    if (!drag) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.moved && Math.hypot(dx, dy) < 5) return;
    if (!drag.moved) this.element?.setPointerCapture(event.pointerId);
    this.drag = { x: event.clientX, y: event.clientY, moved: true };
    const camera = this.camera();
    this.setState({ camera: { ...camera, x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale } });
  };
  private readonly up = (): void => {
    const moved = this.drag?.moved;
    this.drag = null;
    if (moved) this.element?.addEventListener("click", (event) => event.preventDefault(), { once: true, capture: true });
  };
  /// Arrows go to the nearest agent in that direction, + and - zoom, 0 fits.
  private readonly key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit();
    else if (event.key.startsWith("Arrow")) this.step(event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  private step(key: string): void {
    const spots = this.picture().spots;
    const current = spots.find((spot) => document.activeElement?.getAttribute("data-agent") === spot.agent.id);
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] ?? [0, 0];
    let best: Spot | undefined = current ? undefined : spots[0];
    let least = Infinity;
    for (const spot of current ? spots : []) {
      if (!current) break;
      const [x, y] = [spot.x - current.x, spot.y - current.y];
      const along = x * dx + y * dy;
      const distance = along + 3 * Math.abs(x * dy + y * dx);
      if (along > 1 && distance < least) [best, least] = [spot, distance];
    }
    if (best) this.focus(best);
  }
  private focus(spot: Spot): void {
    this.element?.querySelector<SVGElement>(`[data-agent="${spot.agent.id}"]`)?.focus();
    const { width, height } = this.state;
    const camera = this.camera();
    const [x, y] = [(spot.x - camera.x) * camera.scale, (spot.y - camera.y) * camera.scale];
    if (x >= 0 && y >= 0 && x + box.width * camera.scale <= width && y + box.height * camera.scale <= height) return;
    this.setState({
      camera: { ...camera, x: spot.x + box.width / 2 - width / 2 / camera.scale, y: spot.y + box.height / 2 - height / 2 / camera.scale },
    });
  }
  private node(spot: Spot, scale: number) {
    const { agent } = spot;
    const { word, tone } = statusOf(agent);
    // No text is smaller than 12 px on the screen; what then does not fit is left out.
    const size = Math.max(14, 12.5 / scale);
    const room = Math.floor((box.width - 34) / (size * 0.58));
    const shown = room < 4 ? "" : shorten(agent.name, room);
    const both = scale >= 0.9;
    const href = agentHref(agent.id);
    const open = (event: Event) => {
      event.preventDefault();
      if (!this.drag?.moved) go(href);
    };
    return (
      <a
        key={agent.id}
        class={`node ${tone}`}
        href={href}
        data-agent={agent.id}
        aria-label={`${agent.name}, ${word}`}
        transform={`translate(${spot.x} ${spot.y})`}
        onClick={open}
      >
        <title>{`${agent.name}\n${word}${agent.task ? `\n${agent.task}` : ""}`}</title>
        <rect width={box.width} height={box.height} rx="12" />
        <circle class="dot" cx={shown ? 18 : box.width / 2} cy={box.height / 2} r={shown ? 6 : 14} />
        {shown && <text x="34" y={both ? 22 : box.height / 2} style={{ fontSize: `${size}px` }}>{shown}</text>}
        {both && shown && <text class="dim" x="34" y="39" style={{ fontSize: "13px" }}>{shorten(agent.task || word, 19)}</text>}
      </a>
    );
  }
  private lines(spots: Map<string, Spot>) {
    return recentPairs().map((pair: Pair) => {
      const [from, to] = [spots.get(pair.from), spots.get(pair.to)];
      if (!from || !to) return null;
      return (
        <path
          key={`${pair.from} ${pair.to}`}
          class="line"
          d={line(from, to)}
          stroke-width={Math.min(8, 1.5 + Math.log2(1 + pair.count))}
          marker-mid="url(#arrow)"
        >
          <title>{`${nameOf(pair.from)} wrote to ${nameOf(pair.to)}: ${pair.count} in the last hour`}</title>
        </path>
      );
    });
  }
  private pulses(spots: Map<string, Spot>) {
    return this.state.pulses.map((pulse) => {
      const [from, to] = [spots.get(pulse.from), spots.get(pulse.to)];
      if (!from || !to) return null;
      return <circle key={pulse.key} class="passing" r="7" style={{ offsetPath: `path("${line(from, to)}")` }} />;
    });
  }
  private legend() {
    const tones: [string, string][] = [["good", "online"], ["wait", "waiting or degraded"], ["off", "away"], ["bad", "failed"]];
    return (
      <p class="legend">
        {tones.map(([tone, words]) => (
          <span class={`status ${tone}`}><span class="dot" aria-hidden="true" />{words}</span>
        ))}
        <span class="dim">lines: who wrote to whom in the last hour</span>
      </p>
    );
  }
  render() {
    if (!agentList.data) return agentList.error ? <Failed of={agentList} /> : <Skeleton />;
    if (agents.size === 0) {
      return (
        <Empty icon="map" title="The map is empty">
          <p>It shows your agents, who belongs to whom, and who writes to whom.</p>
          <button type="button" class="primary" onClick={() => ui.open("create")}><Icon name="plus" /> New agent</button>
        </Empty>
      );
    }
    const camera = this.camera();
    const { spots } = this.picture();
    const byId = new Map(spots.map((spot) => [spot.agent.id, spot]));
    return (
      <section class="map" aria-label="Map">
        <header class="bar">
          <h1>Map</h1>
          <div class="actions" role="group" aria-label="Zoom">
            <button type="button" class="square" aria-label="Zoom out" onClick={() => this.zoom(0.8)}>−</button>
            <button type="button" class="square" aria-label="Zoom in" onClick={() => this.zoom(1.25)}>+</button>
            <button type="button" onClick={this.fit}>Fit</button>
          </div>
        </header>
        <svg
          class="canvas"
          role="group"
          aria-label="Agents; arrow keys move between them"
          ref={(element?: Element) => (this.element = (element as unknown as SVGSVGElement) ?? null)}
          onWheel={this.wheel}
          onPointerDown={this.down}
          onPointerMove={this.move}
          onPointerUp={this.up}
          onPointerCancel={this.up}
          onKeyDown={this.key}
        >
          <defs>
            <marker id="arrow" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="10" markerHeight="10" markerUnits="userSpaceOnUse" orient="auto">
              <path d="M0 0 8 4 0 8z" />
            </marker>
          </defs>
          <g transform={`scale(${camera.scale}) translate(${-camera.x} ${-camera.y})`}>
            {spots.map((spot) => spot.parent && (
              <path
                key={`tie ${spot.agent.id}`}
                class="tie"
                d={`M${spot.parent.x + box.width / 2} ${spot.parent.y + box.height}V${spot.y - 22}H${spot.x + box.width / 2}V${spot.y}`}
              />
            ))}
            {this.lines(byId)}
            {spots.map((spot) => this.node(spot, camera.scale))}
            {this.pulses(byId)}
          </g>
        </svg>
        {this.legend()}
      </section>
    );
  }
}


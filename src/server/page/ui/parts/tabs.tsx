import { h, Component } from "preact";

interface Props<T extends string> {
  label: string;
  tabs: readonly { id: T; title: string; badge?: number }[];
  current: T;
  /// Of the panel that they switch, and the start of the tabs' own ids.
  panel: string;
  onChoose: (id: T) => void;
}

/// Arrows, Home and End move; ids are the panel's, so two bars never share one.
export class Tabs<T extends string> extends Component<Props<T>, Record<string, never>> {
  private seen = "";

  componentDidMount(): void {
    this.show();
  }
  componentDidUpdate(): void {
    this.show();
  }
  /// On a phone the bar is wider than the screen; what is around it stays where it is.
  private show(): void {
    const { panel, current } = this.props;
    if (this.seen === current) return;
    this.seen = current;
    const tab = document.getElementById(`${panel}-${current}`);
    const bar = tab?.parentElement;
    if (!tab || !bar) return;
    const [inner, outer] = [tab.getBoundingClientRect(), bar.getBoundingClientRect()];
    bar.scrollLeft += Math.max(0, inner.right - outer.right) - Math.max(0, outer.left - inner.left);
  }
  private readonly move = (event: KeyboardEvent): void => {
    const { tabs, current, panel, onChoose } = this.props;
    const at = tabs.findIndex((tab) => tab.id === current);
    const to: Record<string, number> = {
      ArrowRight: (at + 1) % tabs.length,
      ArrowLeft: (at + tabs.length - 1) % tabs.length,
      Home: 0,
      End: tabs.length - 1,
    };
    if (!(event.key in to)) return;
    event.preventDefault();
    event.stopPropagation();
    const next = tabs[to[event.key]].id;
    onChoose(next);
    document.getElementById(`${panel}-${next}`)?.focus();
  };
  render() {
    const { label, tabs, current, panel, onChoose } = this.props;
    return (
      <div class="tabs" role="tablist" aria-label={label} onKeyDown={this.move}>
        {tabs.map((tab) => (
          <button
            type="button"
            role="tab"
            id={`${panel}-${tab.id}`}
            aria-selected={tab.id === current ? "true" : "false"}
            aria-controls={panel}
            tabIndex={tab.id === current ? 0 : -1}
            onClick={() => onChoose(tab.id)}
          >
            {tab.title}
            {!!tab.badge && <span class="badge">{tab.badge}</span>}
          </button>
        ))}
      </div>
    );
  }
}

import { h } from "preact";

interface Props<T extends string> {
  label: string;
  tabs: readonly { id: T; title: string; badge?: number }[];
  current: T;
  /// Of the panel that they switch, and the start of the tabs' own ids.
  panel: string;
  onChoose: (id: T) => void;
}

/// Arrows, Home and End move; ids are the panel's, so two bars never share one.
export function Tabs<T extends string>({ label, tabs, current, panel, onChoose }: Props<T>) {
  const move = (event: KeyboardEvent): void => {
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
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={move}>
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

import { h, type ComponentChildren } from "preact";
import type { Resource } from "../core/resource";
import { Icon, type IconName } from "./icons";

interface EmptyProps {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
}

export const Empty = ({ icon, title, children }: EmptyProps) => (
  <div class="empty">
    <span class="disc" aria-hidden="true">
      <Icon name={icon} />
    </span>
    <p class="lead">{title}</p>
    {children}
  </div>
);

export const Skeleton = ({ rows = 4 }: { rows?: number }) => (
  <div class="skeleton" role="status" aria-label="Loading">
    {Array.from({ length: rows }, () => (
      <span />
    ))}
  </div>
);

/// "Nothing there" and "could not load" must never look the same.
export function Failed({ of }: { of: Resource<unknown> }) {
  if (!of.error) return null;
  return (
    <div class="failed" role="alert">
      <span>{of.error}</span>
      <button type="button" onClick={() => void of.load()} disabled={of.loading}>
        <Icon name="retry" /> Try again
      </button>
    </div>
  );
}

import { Component } from "preact";
import type { Resource } from "../core/resource";

/// A view that shows resources: they are loaded while it is there.
export abstract class View<P = Record<string, never>, S = Record<string, never>> extends Component<P, S> {
  private shown: Resource<unknown>[] = [];

  abstract resources(props: P): Resource<unknown>[];

  componentDidMount(): void {
    this.shown = this.resources(this.props);
    for (const resource of this.shown) resource.open();
  }
  componentDidUpdate(): void {
    const wanted = this.resources(this.props);
    for (const resource of wanted) if (!this.shown.includes(resource)) resource.open();
    for (const resource of this.shown) if (!wanted.includes(resource)) resource.close();
    this.shown = wanted;
  }
  componentWillUnmount(): void {
    for (const resource of this.shown) resource.close();
  }
}

export const valueOf = (event: Event): string =>
  (event.target as HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement).value;

// What the page uses of libraries whose packages have no types, or types of an older TypeScript.

declare module "preact" {
  export type ComponentChildren = unknown;
  export function h(type: unknown, props: unknown, ...children: unknown[]): JSX.Element;
  export function render(element: JSX.Element, parent: Element, replace?: Element): Element;
  export abstract class Component<P, S> {
    props: P & { children?: ComponentChildren };
    state: S;
    base?: HTMLElement;
    constructor(props?: P);
    setState<K extends keyof S>(state: Pick<S, K>, done?: () => void): void;
    forceUpdate(): void;
    abstract render(): JSX.Element | null;
    componentDidMount?(): void;
    componentWillUnmount?(): void;
    componentWillUpdate?(props: P, state: S): void;
    componentDidUpdate?(props: P, state: S): void;
    shouldComponentUpdate?(props: P, state: S): boolean;
  }
}

declare namespace JSX {
  interface Element {
    nodeName: unknown;
  }
  interface ElementClass {
    render(): Element | null;
  }
  interface ElementAttributesProperty {
    props: unknown;
  }
  interface ElementChildrenAttribute {
    children: unknown;
  }
  interface IntrinsicAttributes {
    key?: string | number;
  }
  interface IntrinsicElements {
    [tag: string]: {
      key?: string | number;
      ref?: (element?: Element_) => void;
      class?: string;
      [name: string]: unknown;
    };
  }
  type Element_ = globalThis.Element;
}

declare module "dompurify" {
  interface Options {
    ALLOWED_TAGS: string[];
    ALLOWED_ATTR: string[];
    ALLOWED_URI_REGEXP: RegExp;
    ALLOW_DATA_ATTR: boolean;
    RETURN_DOM_FRAGMENT: true;
  }
  const purify: {
    sanitize(html: string, options: Options): DocumentFragment;
    addHook(name: "afterSanitizeAttributes", hook: (node: Element) => void): void;
  };
  export default purify;
}

declare module "d3-hierarchy" {
  export interface Node<T> {
    data: T;
    x: number;
    y: number;
    parent: Node<T> | null;
    descendants(): Node<T>[];
  }
  export function hierarchy<T>(root: T, children: (node: T) => T[]): Node<T>;
  export interface Tree {
    <T>(root: Node<T>): Node<T>;
    nodeSize(size: [number, number]): Tree;
    separation(of: (a: Node<unknown>, b: Node<unknown>) => number): Tree;
  }
  export function tree(): Tree;
}

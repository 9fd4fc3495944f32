import { h, Component, type ComponentChildren } from "preact";
import { Icon } from "./icons";

interface Props {
  title: string;
  onClose: () => void;
  /// Asks before something that cannot be undone.
  alert?: boolean;
  wide?: boolean;
  children?: ComponentChildren;
}

/// The browser's own dialog: it traps the focus and lets Escape close the topmost only.
export class Dialog extends Component<Props, Record<string, never>> {
  private element: HTMLDialogElement | null = null;
  private readonly opener = document.activeElement as HTMLElement | null;

  componentDidMount(): void {
    this.element?.showModal();
    this.element?.querySelector<HTMLElement>("[autofocus]")?.focus();
  }
  componentWillUnmount(): void {
    this.element?.close();
    // The list that the opener was in may have been drawn anew meanwhile.
    if (this.opener?.isConnected) this.opener.focus();
  }
  private readonly cancel = (event: Event): void => {
    event.preventDefault();
    event.stopPropagation();
    this.props.onClose();
  };
  private readonly press = (event: MouseEvent): void => {
    if (event.target === this.element) this.props.onClose();
  };
  render() {
    const { title, onClose, alert, wide, children } = this.props;
    return (
      <dialog
        ref={(element?: Element) => (this.element = (element as HTMLDialogElement) ?? null)}
        class={wide ? "wide" : ""}
        role={alert ? "alertdialog" : "dialog"}
        aria-label={title}
        onCancel={this.cancel}
        onMouseDown={this.press}
      >
        <div class="dialog">
          <header>
            <h2>{title}</h2>
            <button type="button" class="plain square" aria-label={`Close “${title}”`} onClick={onClose}>
              <Icon name="close" />
            </button>
          </header>
          {children}
        </div>
      </dialog>
    );
  }
}

interface ConfirmProps {
  title: string;
  action: string;
  /// What has to be typed first.
  typed?: string;
  onConfirm: () => Promise<void> | void;
  onClose: () => void;
  children?: ComponentChildren;
}

/// Asks before something that cannot be undone.
export class Confirm extends Component<ConfirmProps, { words: string; busy: boolean }> {
  state = { words: "", busy: false };
  private readonly run = async (event: Event): Promise<void> => {
    event.preventDefault();
    this.setState({ busy: true });
    await this.props.onConfirm();
    this.props.onClose();
  };
  render() {
    const { title, action, typed, onClose, children } = this.props;
    const ready = typed === undefined || this.state.words === typed;
    return (
      <Dialog title={title} onClose={onClose} alert>
        <form onSubmit={this.run}>
          {children}
          {typed !== undefined && (
            <label class="field">
              <span>
                Type <bdi class="typed">{typed}</bdi> to confirm
              </span>
              <input
                autofocus
                autocomplete="off"
                spellcheck={false}
                value={this.state.words}
                onInput={(event: Event) => this.setState({ words: (event.target as HTMLInputElement).value })}
              />
            </label>
          )}
          <footer>
            <button type="button" onClick={onClose} autofocus={typed === undefined}>
              Cancel
            </button>
            <button class="danger" disabled={!ready || this.state.busy}>
              {action}
            </button>
          </footer>
        </form>
      </Dialog>
    );
  }
}

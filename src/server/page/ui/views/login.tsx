import { h, Component } from "preact";
import { check, login, session } from "../core/session";
import { redraw } from "../core/redraw";
import { Copy } from "../parts/copy";
import { Icon } from "../parts/icons";
import { valueOf } from "../parts/view";

interface State {
  secret: string;
  busy: boolean;
}

/// The page without a session. What is typed stays in this field's memory only.
export class Login extends Component<{ onLogin: () => void }, State> {
  state: State = { secret: "", busy: false };

  private readonly submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const secret = this.state.secret.trim();
    if (!secret) {
      session.error = "Paste the admin token or a login link first.";
      return redraw();
    }
    this.setState({ busy: true });
    const done = await login(secret);
    this.setState({ busy: false, secret: done ? "" : this.state.secret });
    if (done) this.props.onLogin();
  };
  private where() {
    if (session.tokenVariable) {
      return <p>It is the value of <code>{session.tokenVariable}</code> with which the platform was started.</p>;
    }
    return (
      <div>
        <p>It is in this file, on the machine of the platform:</p>
        <div class="secret"><code id="token-file">{session.tokenFile || "admin_token in the data folder"}</code>
          {session.tokenFile && <Copy text={session.tokenFile} label="the file's path" target={() => document.getElementById("token-file")} />}
        </div>
      </div>
    );
  }
  render() {
    if (session.state === "unreachable") {
      return (
        <main class="login">
          <h1>Molecule</h1>
          <p class="problem" role="alert">The platform does not answer. Check that molecule-platform is running; this page goes on by itself when it does.</p>
          <button type="button" class="primary" onClick={() => void check().then((done) => done && this.props.onLogin())}>
            <Icon name="retry" /> Try again
          </button>
        </main>
      );
    }
    return (
      <main class="login">
        <form class="card" onSubmit={this.submit}>
          <h1>Log in to Molecule</h1>
          {session.ended && <p class="note" role="status">You were logged out. What you were writing is kept.</p>}
          <label class="field">
            <span>Admin token <i>or a whole login link</i></span>
            <input
              type="password"
              name="token"
              autofocus
              autocomplete="off"
              spellcheck={false}
              value={this.state.secret}
              onInput={(event: Event) => this.setState({ secret: valueOf(event) })}
            />
          </label>
          {session.error && <p class="problem" role="alert">{session.error}</p>}
          <footer>
            <button class="primary" disabled={this.state.busy}>Log in</button>
          </footer>
          <section class="hint">
            <h2>Where the token is</h2>
            {this.where()}
            {session.linkCommand && <p>Or make a link that logs you in, once:</p>}
            {session.linkCommand && (
              <div class="secret">
                <code id="link-command">{session.linkCommand}</code>
                <Copy text={session.linkCommand} label="the command" target={() => document.getElementById("link-command")} />
              </div>
            )}
          </section>
        </form>
      </main>
    );
  }
}

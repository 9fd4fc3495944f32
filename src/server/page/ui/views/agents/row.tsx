import { h, Component } from "preact";
import { neverConnected, type Agent } from "../../core/agents";
import { agentHref } from "../../core/route";
import { Ago, Avatar, Skills, Sparkline, Status } from "../../parts/marks";

interface Props {
  agent: Agent;
  depth: number;
  compact: boolean;
  current: boolean;
}

/// What a row shows, to draw it only when that changed: there may be hundreds.
function shown({ agent, depth, compact, current }: Props): string {
  return JSON.stringify([
    agent.name, agent.role, agent.status, agent.activeTasks, agent.task, agent.error, agent.skills,
    agent.heartbeat, agent.unread, agent.traffic, depth, compact, current,
  ]);
}

export class AgentRow extends Component<Props, Record<string, never>> {
  private drawn = "";
  shouldComponentUpdate(next: Props): boolean {
    return shown(next) !== this.drawn;
  }
  render() {
    const { agent, depth, compact, current } = this.props;
    this.drawn = shown(this.props);
    const waiting = neverConnected(agent);
    return (
      <li class={`agent-row depth${depth}`}>
        <a
          class="agent-link"
          href={agentHref(agent.id, waiting && !compact ? "connect" : "chat")}
          aria-current={current ? "page" : null}
        >
          <Avatar id={agent.id} name={agent.name} />
          <span class="who">
            <span class="line">
              <bdi class="name" title={agent.name}>{agent.name}</bdi>
              {agent.unread > 0 && (
                <span class="unread" title={`${agent.unread} messages that the agent has not read`}>
                  {agent.unread > 99 ? "99+" : agent.unread} unread
                </span>
              )}
            </span>
            <span class="line dim">
              <Status agent={agent} />
              {!compact && agent.role && <bdi class="role" title={agent.role}>{agent.role}</bdi>}
            </span>
            {agent.task && (
              <bdi class="task" title={agent.task}>{agent.task}</bdi>
            )}
            {agent.status === "degraded" && agent.error && <bdi class="error" title={agent.error}>{agent.error}</bdi>}
          </span>
          {!compact && (
            <span class="more-columns">
              <Skills names={agent.skills} />
              <span class="tasks">
                {agent.activeTasks > 0 ? `${agent.activeTasks} active task${agent.activeTasks === 1 ? "" : "s"}` : ""}
              </span>
              <Sparkline values={agent.traffic} />
              <span class="beat">
                {agent.heartbeat ? <Ago at={agent.heartbeat} /> : <span class="connect">Connect</span>}
              </span>
            </span>
          )}
        </a>
      </li>
    );
  }
}

import { h } from "preact";
import { agentList, agents, type Agent } from "../../core/agents";
import { isOpen, pending } from "../../core/requests";
import { agentHref, go, route, type AgentTab } from "../../core/route";
import { Icon } from "../../parts/icons";
import { Avatar, Status } from "../../parts/marks";
import { Empty, Skeleton } from "../../parts/states";
import { Tabs } from "../../parts/tabs";
import { Activity } from "../activity/activity";
import { Chat } from "../chat/chat";
import { Connect } from "../connect/connect";
import { AgentTalk } from "../talk/talk";
import { Details } from "./details";
import { Tokens } from "./tokens";

const titles: Record<AgentTab, string> = {
  chat: "Chat", talk: "Agent talk", details: "Details", connect: "Connect", tokens: "Tokens", activity: "Activity",
};

function panel(agent: Agent) {
  switch (route.tab) {
    case "talk":
      return <AgentTalk key={agent.id} agent={agent.id} />;
    case "details":
      return <Details key={agent.id} agent={agent} />;
    case "connect":
      return <Connect key={agent.id} agent={agent} />;
    case "tokens":
      return <Tokens key={agent.id} agent={agent} />;
    case "activity":
      return <Activity key={agent.id} agent={agent.id} />;
    default:
      return <Chat key={agent.id} agent={agent} />;
  }
}

export function AgentPage() {
  const agent = agents.get(route.id);
  if (!agent) {
    if (!agentList.data) return <Skeleton />;
    return (
      <Empty icon="agents" title="This agent is not here">
        <p>It was removed, or the link is old. <a href="#/agents">All agents</a></p>
      </Empty>
    );
  }
  const asks = (pending.data ?? []).filter((request) => request.agent === agent.id && isOpen(request)).length;
  return (
    <section class="agent-page" aria-label={agent.name}>
      <header class="agent-head">
        <a class="back square" href="#/agents" aria-label="All agents"><Icon name="back" /></a>
        <Avatar id={agent.id} name={agent.name} />
        <div class="who">
          <h1 title={agent.name}><bdi>{agent.name}</bdi></h1>
          <p class="line dim">
            <Status agent={agent} />
            {agent.role && <bdi class="role" title={agent.role}>{agent.role}</bdi>}
          </p>
        </div>
      </header>
      <Tabs
        label={`Parts of ${agent.name}`}
        panel="agent-panel"
        current={route.tab}
        onChoose={(tab) => go(agentHref(agent.id, tab))}
        tabs={(Object.keys(titles) as AgentTab[]).map((id) => ({ id, title: titles[id], badge: id === "chat" ? asks : 0 }))}
      />
      {agent.status === "degraded" && agent.error && (
        <p class="degraded"><b>Degraded.</b> <bdi>{agent.error}</bdi></p>
      )}
      <div id="agent-panel" class={`panel ${route.tab}`} role="tabpanel" aria-labelledby={`agent-panel-${route.tab}`}>
        {panel(agent)}
      </div>
    </section>
  );
}

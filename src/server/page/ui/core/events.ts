// What each event changes in the model. Unknown ones are only listed.

import { now } from "./clock";
import { agentList, agents, countMessage, overview, pairs, removeAgent, setCard, type Agent } from "./agents";
import { conversation, readFiles, type Bubble } from "./conversation";
import { count, list, name, text, type Data } from "./decode";
import type { Frame } from "./live";
import { remember } from "./log";
import { notify } from "./notify";
import { decided, pending } from "./requests";
import { redraw } from "./redraw";
import { reloadTopic } from "./resource";

const statuses: Record<string, string> = {
  WORKSPACE_ONLINE: "online",
  WORKSPACE_OFFLINE: "awaiting_agent",
  WORKSPACE_DEGRADED: "degraded",
  WORKSPACE_PAUSED: "paused",
  WORKSPACE_HIBERNATED: "hibernated",
  WORKSPACE_PROVISION_FAILED: "failed",
};

type Listener = (frame: Frame) => void;
const listeners = new Set<Listener>();

/// For a view that shows events itself. Returns what ends it.
export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let listTimer = 0;
/// A burst of changes asks for the list once.
function reloadSoon(): void {
  clearTimeout(listTimer);
  listTimer = window.setTimeout(() => void agentList.load(), 300);
}

let overviewTimer = 0;
export function overviewSoon(): void {
  clearTimeout(overviewTimer);
  overviewTimer = window.setTimeout(() => void overview.load(), 1000);
}

function setStatus(agent: Agent, frame: Frame): void {
  agent.status = statuses[frame.event];
  if (frame.event === "WORKSPACE_ONLINE") agent.heartbeat = Math.max(agent.heartbeat, frame.at);
  const error = name(frame.payload.sample_error) || name(frame.payload.error);
  if (error) agent.error = error;
  if (frame.payload.agent_card) setCard(agent, frame.payload.agent_card);
  reloadTopic(`presence ${agent.id}`);
}

/// A part of the platform that events do not describe.
function partChanged(frame: Frame): void {
  const part = text(frame.payload.part);
  if (part === "agent") return reloadSoon();
  // Those of a team show with each of its agents.
  reloadTopic(part === "memories" ? part : `${part} ${frame.agent}`);
}

function bubble(frame: Frame, role: Bubble["role"], messageId: string): Bubble {
  return {
    key: `event ${messageId || `${frame.at} ${text(frame.payload.message).slice(0, 80)}`}`,
    messageId, role, text: text(frame.payload.message), files: readFiles(frame.payload.attachments),
    at: frame.at, seq: count(frame.payload.seq), replyTo: text(frame.payload.in_reply_to), state: "sent",
    error: "", uploads: [],
  };
}

function message(frame: Frame, role: Bubble["role"], id: unknown): void {
  const chat = conversation(frame.agent);
  // Without its id a message cannot be told from its row in the history.
  if (text(id) && chat.latest.data) chat.merge([bubble(frame, role, text(id))]);
  if (chat.latest.isOpen) void chat.latest.load();
  else chat.latest.data = null;
}

function activity(frame: Frame): void {
  const payload: Data = frame.payload;
  if (payload.activity_type !== "a2a_receive") return;
  countMessage(frame.agent, text(payload.source_id));
  const agent = agents.get(frame.agent);
  if (agent && payload.method === "message/send") agent.unread += 1;
  const chat = conversation(frame.agent);
  if (!payload.source_id && chat.latest.isOpen) void chat.latest.load();
}

function request(frame: Frame): void {
  void pending.load();
  reloadTopic(`thread ${text(frame.payload.request_id)}`);
  if (decided.isOpen) void decided.load();
  if (frame.event !== "REQUEST_CREATED" || frame.payload.recipient_type !== "user") return;
  const who = agents.get(frame.agent)?.name ?? "An agent";
  notify(`${who} asks you`, name(frame.payload.title), "#/inbox");
}

function agentEvent(frame: Frame, agent: Agent): void {
  const payload = frame.payload;
  switch (frame.event) {
    case "WORKSPACE_HEARTBEAT":
      agent.heartbeat = Math.max(agent.heartbeat, frame.at);
      agent.activeTasks = count(payload.active_tasks);
      agent.uptime = count(payload.uptime_seconds);
      break;
    case "TASK_UPDATED":
      agent.task = name(payload.current_task);
      agent.activeTasks = count(payload.active_tasks);
      break;
    case "AGENT_CARD_UPDATED":
      setCard(agent, payload.agent_card);
      break;
    case "MESSAGE_FETCHED":
      conversation(agent.id).mark(count(payload.seq), 0);
      overviewSoon();
      break;
    case "MESSAGE_HANDLED":
      conversation(agent.id).mark(0, count(payload.seq));
      overviewSoon();
      break;
    default:
      if (frame.event in statuses) setStatus(agent, frame);
  }
}

export function apply(frame: Frame): void {
  const agent = agents.get(frame.agent);
  if (agent) agentEvent(frame, agent);
  switch (frame.event) {
    case "WORKSPACE_REMOVED":
      removeAgent(frame.agent);
      for (const id of list(frame.payload.cascade_ids).map(text)) removeAgent(id);
      reloadSoon();
      break;
    case "WORKSPACE_PROVISIONING":
    case "WORKSPACE_AWAITING_AGENT":
    case "WORKSPACE_PAUSED":
      reloadSoon();
      break;
    case "PART_CHANGED":
      partChanged(frame);
      break;
    case "WORKSPACE_ONLINE":
      if (!agent) reloadSoon();
      break;
    case "AGENT_MESSAGE":
      message(frame, "agent", frame.payload.message_id);
      if (agent) notify(agent.name, text(frame.payload.message).slice(0, 140), `#/agent/${agent.id}/chat`);
      break;
    case "USER_MESSAGE":
      message(frame, "user", frame.payload.messageId);
      break;
    case "ACTIVITY_LOGGED":
      activity(frame);
      break;
    default:
      if (/^(REQUEST|APPROVAL|USER_TASK)_/.test(frame.event)) request(frame);
  }
  remember(frame);
  for (const listener of listeners) listener(frame);
  redraw();
}

/// Pairs that wrote within the last hour, oldest forgotten.
export function recentPairs() {
  const since = now() - 3_600_000;
  return [...pairs.values()].filter((pair) => pair.last > since && agents.has(pair.from) && agents.has(pair.to));
}


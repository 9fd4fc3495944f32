"""Google's generateContent API."""

import json

from model.conversation import Call, Conversation, Say, Use

USAGE = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
# What Gemini CLI asks beside the conversation, each with a schema: which model to take, and who
# speaks next.
SIDE_QUESTIONS = json.dumps({"complexity_reasoning": "-", "complexity_score": 10, "reasoning": "-",
                             "model_choice": "flash", "next_speaker": "user"})


def side_question(body):
    settings = body.get("generationConfig") or {}
    return "responseSchema" in settings or "responseJsonSchema" in settings


def read(body):
    seen = Conversation([function["name"] for tool in body.get("tools") or []
                         for function in tool.get("functionDeclarations") or []])
    waiting = []
    for content in body.get("contents", []):
        for part in content.get("parts", []):
            if "functionCall" in part:
                call = part["functionCall"]
                waiting.append((call["name"], call.get("args") or {}))
            elif "functionResponse" in part:
                answer = part["functionResponse"]
                at = next((i for i, call in enumerate(waiting) if call[0] == answer["name"]), None)
                arguments = {} if at is None else waiting.pop(at)[1]
                result = json.dumps(answer.get("response"), ensure_ascii=False)
                seen.calls.append(Call(answer["name"], arguments, result))
            elif "text" in part and content.get("role") != "model":
                seen.texts.append(part["text"])
    return seen


def write(step, body, number):
    if side_question(body):
        step = Say(SIDE_QUESTIONS)
    part = ({"functionCall": {"name": step.name, "args": step.arguments}} if isinstance(step, Use)
            else {"text": step.text})
    whole = {"candidates": [{"content": {"role": "model", "parts": [part]},
                             "finishReason": "STOP", "index": 0}],
             "usageMetadata": USAGE, "modelVersion": "mock-model",
             "responseId": f"resp_{number:04}"}
    return whole, lambda: [(None, whole)]

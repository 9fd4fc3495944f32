"""The versions that are tested, in one place."""

CLAUDE_CODE = ("@anthropic-ai/claude-code@2.1.332",)
CODEX = ("@openai/codex@0.171.0",)
GEMINI_CLI = ("@google/gemini-cli@0.61.0",)
QWEN_CODE = ("@qwen-code/qwen-code@0.24.4",)
OPENCODE = ("opencode-ai@1.18.33",)
COPILOT = ("@github/copilot@1.0.102",)
CONTINUE = ("@continuedev/cli@1.5.47",)
CLINE = ("cline@3.0.65",)
OPENCLAW = ("openclaw@2026.9.6",)

OPENAI_AGENTS = ("openai-agents==0.24.0",)
PYDANTIC_AI = ("pydantic-ai-slim[openai,mcp]==2.68.0",)
LANGCHAIN = ("langchain-mcp-adapters==0.3.2", "langchain==1.5.2", "langchain-openai==1.7.4")
GOOGLE_ADK = ("google-adk[mcp]==2.13.0",)
AGNO = ("agno==3.1.10", "openai==3.57.0", "fastmcp==4.2.3")
FASTMCP = ("fastmcp==4.2.3",)

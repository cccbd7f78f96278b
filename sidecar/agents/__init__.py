"""The agents' doors: the hook that their clients call, and MCP."""

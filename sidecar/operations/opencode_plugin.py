"""The plugin by which opencode, or Kilo, calls the hook: it has no hooks that are commands.

PROGRAM, CLIENT and BEFORE are filled in.
"""

BEFORE = """
    "tool.execute.before": async ({ tool, sessionID }, { args }) => {
      const { deny } = await ask("tool.execute.before", { session_id: sessionID, cwd: directory, tool, args })
      if (deny) throw new Error(deny)
    },"""

PLUGIN = """// Worktree Sidecar: where the agent's edits meet other worktrees, asked by: sidecar hook --client CLIENT
// Made by `sidecar hook --install CLIENT`; `sidecar hook --uninstall CLIENT` deletes it.
import { spawn } from "node:child_process"

const EDITS = ["edit", "write", "multiedit", "patch", "apply_patch"]

/** The answer of the hook to an event; an empty one where there is no sidecar, or it is late. */
const ask = (event, payload) =>
  new Promise((resolve) => {
    if (payload.tool && !EDITS.includes(payload.tool)) return resolve({})
    const given = ["hook", "--client", "CLIENT", "--event", event]
    const child = spawn(PROGRAM, given, { stdio: ["pipe", "pipe", "ignore"] })
    const late = setTimeout(() => (child.kill("SIGKILL"), resolve({})), 5000)
    let said = ""
    child.on("error", () => resolve({}))
    child.stdin.on("error", () => {})
    child.stdout.on("data", (part) => (said += part))
    child.on("close", () => {
      clearTimeout(late)
      try {
        resolve(JSON.parse(said) ?? {})
      } catch {
        resolve({})
      }
    })
    child.stdin.end(JSON.stringify(payload))
  })

export const WorktreeSidecar = async ({ directory }) => {
  const told = new Map()
  return {
    "chat.message": async ({ sessionID }) => {
      if (told.has(sessionID)) return
      told.set(sessionID, "")
      told.set(sessionID, (await ask("start", { session_id: sessionID, cwd: directory })).context ?? "")
    },
    "experimental.chat.system.transform": async ({ sessionID }, { system }) => {
      const context = told.get(sessionID)
      if (context) system.push(context)
    },BEFORE
    "tool.execute.after": async ({ tool, sessionID, args }, output) => {
      const { context } = await ask("tool.execute.after", { session_id: sessionID, cwd: directory, tool, args })
      if (context) output.output += "\\n" + context
    },
  }
}
"""

-- Waits for the diagnostics of the current buffer, types over them, undoes it, and writes what was seen as JSON.
-- Environment: SEEN (the file to write), TYPED_LINE (which line to change, from 1), TYPED (what it becomes).

local seconds = 30
local buffer = vim.api.nvim_get_current_buf()

local function now()
  local found = {}
  for _, d in ipairs(vim.diagnostic.get(buffer)) do
    local lsp = (d.user_data or {}).lsp or {}
    table.insert(found, {
      code = d.code or lsp.code,
      severity = d.severity,
      source = d.source,
      message = d.message,
      range = { d.lnum, d.col, d.end_lnum, d.end_col },
    })
  end
  return found
end

local function wait(what, condition)
  if not vim.wait(seconds * 1000, condition, 20) then
    io.stderr:write("it did not come to this: " .. what .. "\n" .. vim.inspect(now()) .. "\n")
    vim.cmd("cquit 1")
  end
end

local function messages()
  return table.concat(vim.tbl_map(function(d) return d.message end, now()), "\n")
end

local line = tonumber(vim.env.TYPED_LINE) - 1
local before = vim.api.nvim_buf_get_lines(buffer, line, line + 1, true)
local seen = {}

wait("diagnostics", function() return #now() > 0 end)
seen.opened = now()

local first = messages()
vim.api.nvim_buf_set_lines(buffer, line, line + 1, true, { vim.env.TYPED })
wait("other diagnostics while typing", function() return messages() ~= first end)
seen.typed = now()

vim.api.nvim_buf_set_lines(buffer, line, line + 1, true, before)
wait("the first diagnostics again", function() return messages() == first end)
seen.undone = now()

seen.actions = {}
local params = vim.lsp.util.make_range_params(0, "utf-16")
params.range.start = { line = line, character = 0 }
params.range["end"] = params.range.start
params.context = { diagnostics = {} }
for _, answer in pairs(vim.lsp.buf_request_sync(buffer, "textDocument/codeAction", params, seconds * 1000) or {}) do
  for _, action in ipairs(answer.result or {}) do
    table.insert(seen.actions, action.title)
  end
end

local file = assert(io.open(vim.env.SEEN, "w"))
file:write(vim.fn.json_encode(seen))
file:close()
vim.cmd("qall!")

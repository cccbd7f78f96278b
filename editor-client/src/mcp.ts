/** Offers the sidecar's answers over MCP to the agents of the editor, where it takes servers from extensions. */

import * as vscode from "vscode";

import { NAME } from "./client";
import { resolveServer } from "./server";
import { SECTION } from "./settings";

const ID = `${SECTION}.mcp`;

/** How VS Code describes such a server since 1.101; the oldest editor that we support has nothing of it. */
interface Definition {
  cwd?: vscode.Uri;
}
interface Provider {
  readonly onDidChangeMcpServerDefinitions: vscode.Event<void>;
  readonly provideMcpServerDefinitions: () => Definition[];
  readonly resolveMcpServerDefinition: (definition: Definition) => Promise<Definition | undefined>;
}
interface McpApi {
  readonly lm?: { readonly registerMcpServerDefinitionProvider?: (id: string, provider: Provider) => vscode.Disposable };
  readonly McpStdioServerDefinition?: new (label: string, command: string, args: string[]) => Definition;
}

/** Registers the server, which the editor starts when an agent asks; it is none in a folder that is not trusted. */
export function offerMcp(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): void {
  const { lm, McpStdioServerDefinition: Stdio } = vscode as unknown as McpApi;
  if (lm?.registerMcpServerDefinitionProvider === undefined || Stdio === undefined) {
    log.info("MCP: this editor takes no servers from extensions.");
    return;
  }
  const changed = new vscode.EventEmitter<void>();
  const define = (command: string): Definition => {
    const definition = new Stdio(NAME, command, ["mcp"]);
    const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === "file");
    if (folder !== undefined) {
      definition.cwd = folder.uri;
    }
    return definition;
  };
  const provider: Provider = {
    onDidChangeMcpServerDefinitions: changed.event,
    provideMcpServerDefinitions: () => (vscode.workspace.isTrusted ? [define("sidecar")] : []),
    resolveMcpServerDefinition: async () => {
      const command = await resolveServer(context, log);
      return command === undefined ? undefined : define(command);
    },
  };
  context.subscriptions.push(
    changed,
    lm.registerMcpServerDefinitionProvider(ID, provider),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      changed.fire();
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      changed.fire();
    }),
  );
}

/** The settings that a person has set, as the server gets them. */

import * as vscode from "vscode";

export const SECTION = "worktreeSidecar";

/**
 * What is set under `worktreeSidecar.`, by key. Defaults are left out, so that the server can tell "not set here" and
 * read `git config sidecar.*` instead.
 */
export function explicitSettings(extension: vscode.Extension<unknown>): Record<string, unknown> {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  const set = settingKeys(extension).filter((key) => {
    const found = configuration.inspect(key);
    const values: unknown[] = [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue];
    return values.some((value) => value !== undefined);
  });
  return Object.fromEntries(set.map((key) => [key, configuration.get<unknown>(key)]));
}

function settingKeys(extension: vscode.Extension<unknown>): string[] {
  const manifest = extension.packageJSON as { contributes: { configuration: { properties: object }[] } };
  const names = manifest.contributes.configuration.flatMap(({ properties }) => Object.keys(properties));
  return names.map((name) => name.slice(SECTION.length + 1));
}

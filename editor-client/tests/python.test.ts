import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";

import { call, findPython, isWhole, PROGRAMS } from "../src/python";

void test("a server whose Python was removed, or has no sidecar, is not whole", async () => {
  const python = await findPython();
  assert.ok(python);
  const place = await fs.mkdtemp(path.join(os.tmpdir(), "sidecar-"));
  try {
    await call(python, ["-m", "venv", "--without-pip", place]);
    const server = path.join(place, PROGRAMS.folder, PROGRAMS.server);
    await fs.writeFile(server, "");
    assert.equal(await isWhole(server), false);
    const library = path.join(place, "sidecar.pth");
    await fs.mkdir(path.join(place, "sidecar"));
    await fs.writeFile(library, place);
    const [version] = await fs.readdir(path.join(place, "lib")).catch(() => []);
    await fs.rename(library, path.join(place, version === undefined ? "Lib" : `lib/${version}`, "site-packages", "sidecar.pth"));
    assert.equal(await isWhole(server), true);
    await fs.rm(path.join(place, PROGRAMS.folder, PROGRAMS.python));
    assert.equal(await isWhole(server), false);
  } finally {
    await fs.rm(place, { recursive: true });
  }
});

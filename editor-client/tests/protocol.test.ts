import assert from "node:assert/strict";
import { test } from "node:test";

import { blocking, summary, withSummary, type Finding } from "../src/protocol";

const finding = (code: string, severity: Finding["severity"]): Finding => ({ code, severity, message: "", paths: [] });

void test("only what blocks counts as blocking", () => {
  const findings = [finding("uncommitted", "blocks"), finding("detached", "info"), finding("conflict", "blocks")];
  assert.deepEqual([...blocking({ outcome: "planned", findings })], ["uncommitted", "conflict"]);
});

void test("editing the first line of a message keeps the rest", () => {
  const own = "Squashed commit of the following:\n\ncommit 1\n";
  assert.equal(summary(own), "Squashed commit of the following:");
  assert.equal(withSummary(own, "Take a discount"), "Take a discount\n\ncommit 1\n");
  assert.equal(withSummary("Merge branch 'a'", "Take a"), "Take a");
});

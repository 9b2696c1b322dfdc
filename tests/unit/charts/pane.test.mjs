// Tests of a pane's end of the wire, run by node from test_live_assets.py.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { PaneLink } from "./pane.mjs";

// Also of a test that fails no timer stays, which would keep node from ending.
beforeEach(() => mock.timers.enable({ apis: ["setInterval", "setTimeout"] }));
afterEach(() => mock.timers.reset());

const whole = (sequence, parts) => ({ kind: "whole", sequence, parts });
const change = (sequence, parts) => ({ kind: "change", sequence, parts });

function fakeModel() {
  const sent = [];
  return {
    sent, on(_name, listener) { this.receive = listener; }, off() { this.receive = null; },
    send(content) { sent.push(content.kind); },
  };
}

// A link whose view is on the screen and has its parts; `filled` is what the view was told to write.
function shown() {
  const model = fakeModel();
  const link = new PaneLink(model, () => 0);
  const filled = [];
  const view = { fill: (names) => filled.push(names) };
  link.listeners.add(view);
  link.setVisible(view, true);
  model.receive(whole(4, { "": "<b></b>", rows: "1" }));
  return { model, link, filled };
}

test("a change writes its parts, and the others stay", () => {
  const { model, link, filled } = shown();
  model.receive(change(5, { rows: "2" }));
  assert.deepEqual(filled, [[""], ["rows"]]);
  assert.deepEqual(link.parts, { "": "<b></b>", rows: "2" });
  link.close();
});

test("after a lost change nothing more is written until the whole has come, and what stood there still does", () => {
  const { model, link, filled } = shown();
  model.sent.length = 0;
  model.receive(change(6, { rows: "3" }));
  assert.deepEqual(model.sent, ["whole"]);
  model.receive(change(5, { rows: "2" }));
  assert.deepEqual(link.parts, { "": "<b></b>", rows: "1" });
  model.receive(whole(7, { "": "<i></i>" }));
  assert.deepEqual(filled, [[""], [""]]);
  assert.deepEqual(link.parts, { "": "<i></i>" });
  link.close();
});

test("a lost last change is noticed by the pulse, and asked for until answered", () => {
  const { model, link } = shown();
  model.sent.length = 0;
  model.receive({ kind: "pulse", sequence: 4 });
  assert.deepEqual(model.sent, []);
  model.receive({ kind: "pulse", sequence: 5 });
  mock.timers.tick(1500);
  assert.deepEqual(model.sent, ["whole", "whole"]);
  model.receive(whole(5, {}));
  mock.timers.tick(2900);
  assert.deepEqual(model.sent.filter((kind) => kind === "whole").length, 2);
  link.close();
});

test("nothing is sent while nobody looks", () => {
  const { model, link } = shown();
  for (const view of [...link.visible]) link.setVisible(view, false);
  model.sent.length = 0;
  mock.timers.tick(20_000);
  assert.deepEqual(model.sent, []);
  link.close();
});

// SPDX-License-Identifier: GPL-2.0-or-later
// Where the disks of a machine change: a map of time and place for each, and its figures.
import { get } from "./api.js";
import { empty, failure, h, loading, replace } from "./dom.js";
import { ago, bytes, clock } from "./format.js";

const LEAST = 1024; // bytes per second of a region that are as good as none
const CELL = 4;

const rate = (value) => (value === undefined || value === null ? "–" : `${bytes(value)}/s`);

// Slots that nobody looked in have no row; they are left open.
function columns(heat) {
  const slot = heat.slot_us, first = heat.rows[0].start_us, last = heat.rows.at(-1).start_us;
  const n = Math.min((last - first) / slot + 1, heat.rows.length * 4), begin = last - (n - 1) * slot;
  return { n, begin, rows: heat.rows.filter((r) => r.start_us >= begin).map((r) => ({ x: (r.start_us - begin) / slot, rates: r.bytes_per_s, at: r.start_us })) };
}

function paint(canvas, heat) {
  const { n, rows } = columns(heat), style = getComputedStyle(document.documentElement), pen = canvas.getContext("2d");
  const top = Math.max(LEAST * 2, ...rows.flatMap((r) => r.rates.map((v) => v ?? 0)));
  canvas.width = n * CELL;
  canvas.height = heat.n_regions * CELL;
  pen.fillStyle = style.getPropertyValue("--accent").trim();
  for (const { x, rates } of rows) {
    rates.forEach((value, y) => {
      if (value === null) return;
      pen.globalAlpha = value < LEAST ? 0.06 : 0.15 + 0.85 * (Math.log(value / LEAST) / Math.log(top / LEAST));
      pen.fillRect(x * CELL, y * CELL, CELL, CELL);
    });
  }
}

// What is below the pointer, in words.
function explain(canvas, disk, note) {
  const { heat } = disk, { n, begin, rows } = columns(heat), idle = note.textContent;
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * n), y = Math.min(heat.n_regions - 1, Math.floor(((event.clientY - box.top) / box.height) * heat.n_regions));
    const row = rows.find((r) => r.x === x);
    note.textContent = `${clock((begin + x * heat.slot_us) / 1000)}, from ${bytes(y * disk.region_size)} on: ${row && row.rates[y] !== null ? rate(row.rates[y]) : "not known"}`;
  });
  canvas.addEventListener("pointerleave", () => { note.textContent = idle; });
}

function map(disk) {
  const { heat } = disk, hottest = (disk.regions ?? []).reduce((best, r) => (r.bytes_per_s > (best?.bytes_per_s ?? 0) ? r : best), null);
  const text = hottest ? `most changes from ${bytes(hottest.region * disk.region_size)} on, ${rate(hottest.bytes_per_s)}` : "nothing changes";
  const canvas = h("canvas", { class: "heat", role: "img", "aria-label": `${disk.target}: ${text}` });
  const note = h("p", { class: "soft small" }, `From top to bottom the disk, from left to right the time; now ${text}.`);
  const first = columns(heat).begin;
  paint(canvas, heat);
  explain(canvas, disk, note);
  return [canvas, h("div", { class: "ends soft small" }, h("span", {}, clock(first / 1000)), h("span", {}, clock((heat.rows.at(-1).start_us + heat.slot_us) / 1000))), note];
}

function line(name, cell) {
  return h("tr", {}, h("td", {}, name), h("td", { class: "num small", "data-label": "Changes" }, rate(cell.bytes_per_s)), h("td", { class: "small", "data-label": "Pattern" }, cell.pattern ?? "–"),
    h("td", { class: "num small", "data-label": "Rewritten" }, cell.rewritten === undefined ? "–" : `${Math.round(cell.rewritten * 100)} %`));
}

function table(disk) {
  const column = (text) => h("th", { scope: "col", class: "num" }, text);
  return h("table", { class: "cards" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Disk"), column("Changes"), h("th", { scope: "col" }, "Pattern"), column("Rewritten"))),
    h("tbody", {}, line(`${disk.target}, ${bytes(disk.size)}`, disk), (disk.partitions ?? []).map((p) => line(`partition ${p.number}, ${bytes(p.size)}`, p))));
}

export async function heatPart(context, element, path) {
  const title = h("h2", {}, "Where its disks change");
  replace(element, title, loading("the change map"));

  async function draw() {
    try {
      const kept = await get(`${path}/changemap`);
      if (!context.here()) return;
      replace(element, title, h("p", { class: "soft small" }, `Seen ${ago(kept.kept)}.`, kept.notes.length ? ` Places were not known at times: ${kept.notes.join("; ")}.` : ""),
        kept.disks.map((disk) => h("div", { class: "disk" }, table(disk), disk.heat?.rows.length ? map(disk) : h("p", { class: "soft small" }, "Only the disk's figures are known, not places."))));
    } catch (error) {
      replace(element, title, error.status === 404 ? empty("No change map is kept", "A profile with changemap.enabled=yes has foresnapd keep one.") : failure(error, draw));
    }
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);
  context.leave(() => dark.removeEventListener("change", draw));
  const timer = setInterval(draw, 60000);
  context.leave(() => clearInterval(timer));
  await draw();
}

// SPDX-License-Identifier: GPL-2.0-or-later
// The repository: what it holds, costs, and how it grows.
import { get } from "./api.js";
import { bars } from "./charts.js";
import { empty, h, replace, svg } from "./dom.js";
import { ago, bytes } from "./format.js";

// Days until it is full, if it goes on as in the last two weeks; null where nothing can be said.
function daysLeft(repository) {
  const since = Date.now() - 14 * 86400000;
  const days = repository.days.filter((d) => Date.parse(d.day) >= since);
  const first = days.length ? Math.max(1, (Date.now() - Date.parse(days[0].day)) / 86400000) : 0;
  const rate = days.reduce((sum, d) => sum + d.bytes_stored, 0) / first;
  return first >= 2 && rate > 0 && repository.bytes_free !== null ? repository.bytes_free / rate : null;
}

function meter(part, whole, label) {
  return h("div", { class: "meter", role: "img", "aria-label": label },
    svg("svg", { viewBox: "0 0 100 1", preserveAspectRatio: "none" }, svg("rect", { width: whole > 0 ? (part / whole) * 100 : 0, height: 1 })));
}

export async function repositoryPage(context) {
  const repository = await get("/v1/repository");
  if (!context.here()) return;
  if (!repository.there) {
    replace(context.main, h("h1", {}, "Repository"), h("div", { class: "card" }, empty("There is no repository yet", `The first snapshot or suspend makes it in ${repository.repository}.`)));
    return;
  }
  const figure = (value, text) => h("div", {}, h("b", {}, value), h("span", { class: "soft small" }, text));
  const left = daysLeft(repository), canvas = h("canvas", { role: "img", "aria-label": "Bytes stored per day" });
  const most = Math.max(1, ...repository.domains.map((d) => d.bytes_own ?? 0));
  replace(context.main, h("h1", {}, "Repository"),
    h("div", { class: "card" }, h("div", { class: "figures" },
      figure(bytes(repository.bytes_needed), "stored and needed"), figure(bytes(repository.bytes_logical), "held, uncompressed"),
      figure(repository.ratio ? `${repository.ratio.toFixed(1)} : 1` : "–", "ratio"), figure(bytes(repository.bytes_free), "free"),
      figure(left === null ? "–" : left > 730 ? "> 2 years" : `${Math.round(left)} days`, "until full, as it grows now")),
      h("p", { class: "soft small" }, repository.repository, repository.counted ? `, counted ${ago(repository.counted)}` : ", not counted yet")),
    h("div", { class: "grid" },
      h("section", { class: "card" }, h("h2", {}, "Growth per day"), repository.days.length ? h("div", { class: "chart" }, canvas) : empty("Nothing yet", "")),
      h("section", { class: "card" }, h("h2", {}, "By machine"), repository.domains.length ? h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, "Machine"), h("th", { class: "num" }, "Snapshots"), h("th", { class: "num" }, "Own bytes"))),
        h("tbody", {}, [...repository.domains].sort((a, b) => (b.bytes_own ?? 0) - (a.bytes_own ?? 0)).map((d) => h("tr", {},
          h("td", {}, h("a", { class: "name", href: `#/vm/${d.uuid}` }, d.domain), meter(d.bytes_own ?? 0, most, bytes(d.bytes_own))),
          h("td", { class: "num" }, String(d.snapshots)), h("td", { class: "num" }, bytes(d.bytes_own)))))) : empty("Nothing yet", ""))));
  if (repository.days.length) {
    const days = repository.days.slice(-30);
    const chart = await bars(canvas, days.map((d) => d.day.slice(5)), days.map((d) => d.bytes_stored), "stored", bytes);
    context.leave(() => chart.destroy());
  }
}

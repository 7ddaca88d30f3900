// SPDX-License-Identifier: GPL-2.0-or-later
// All machines of this host.
import { get } from "./api.js";
import { sparkline } from "./charts.js";
import { empty, h, replace } from "./dom.js";
import { ago, bytes, clock } from "./format.js";

// What was foretold of each, asked one after the other for those that are in sight.
const idle = new Map();
const KEPT_MS = 300000;

export function stateBadge(domain) {
  const text = domain.loading ? "resuming" : domain.state;
  return h("span", { class: "state", "data-state": text }, text);
}

function nextText(foretold) {
  if (foretold === undefined) return "…";
  if (!foretold) return "–";
  return foretold.state === "active" ? `idle ~ ${clock(foretold.idle.likely)}` : `wakes ~ ${clock(foretold.wake.likely)}`;
}

function row(domain) {
  const link = h("a", { class: "name", href: `#/vm/${domain.uuid}` }, domain.title || domain.domain);
  const known = idle.get(domain.uuid);
  return h("tr", { class: "link", "data-uuid": domain.uuid },
    h("td", {}, link, domain.title ? h("div", { class: "soft small" }, domain.domain) : null),
    h("td", {}, stateBadge(domain)),
    h("td", { class: "usage" }, domain.usage.sampled ? sparkline(domain.usage, domain.forecast, domain.vcpus) : h("span", { class: "soft small" }, "not sampled")),
    h("td", { class: "next small", "data-label": "Next" }, nextText(known?.value)),
    h("td", { class: "small", "data-label": "Snapshot" },
      domain.last_snapshot ? h("span", { title: domain.last_snapshot_kind }, ago(domain.last_snapshot_created)) : h("span", { class: "soft" }, "none")),
    h("td", { class: "num small", "data-label": "Own" }, bytes(domain.bytes_own)));
}

export async function listPage(context) {
  const { domains, libvirt } = await get("/v1/domains");
  if (!context.here()) return;
  const all = new Map(domains.map((d) => [d.uuid, d]));
  const search = h("input", { type: "search", size: 26, placeholder: "Filter by name, tag or state", "aria-label": "Filter", oninput: draw });
  const body = h("tbody"), count = h("span", { class: "soft small", role: "status" });
  const table = h("table", { class: "cards" },
    h("thead", {}, h("tr", {}, ["Machine", "State", "Last 24 h and next 12 h", "Next", "Last snapshot"].map((t) => h("th", { scope: "col" }, t)),
      h("th", { scope: "col", class: "num" }, "Own bytes"))), body);
  const none = h("div");

  function matches(domain) {
    const text = `${domain.domain} ${domain.title ?? ""} ${domain.state} ${domain.tags.join(" ")}`.toLowerCase();
    return search.value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  function draw() {
    const shown = [...all.values()].filter(matches).sort((a, b) => a.domain.localeCompare(b.domain));
    replace(body, shown.map(row));
    body.querySelectorAll("tr").forEach((tr) => sight.observe(tr));
    count.textContent = `${shown.length} of ${all.size}`;
    table.hidden = shown.length === 0;
    replace(none, shown.length === 0 ? (all.size === 0
      ? empty(libvirt ? "No machines yet" : "libvirt does not answer", libvirt ? "Define one in virt-manager or with virsh, and it appears here." : "foresnap tries again by itself.")
      : empty("Nothing matches", "Try fewer words.")) : null);
  }

  const wanted = [];
  let busy = false;
  const sight = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) wanted.push(entry.target.dataset.uuid);
    foretell();
  });
  context.leave(() => sight.disconnect());

  async function foretell() {
    if (busy) return;
    busy = true;
    while (wanted.length && context.here()) {
      const uuid = wanted.shift(), known = idle.get(uuid);
      if (!all.get(uuid)?.usage.sampled) {
        idle.set(uuid, { value: null, at: Date.now() });
      } else if (!known || Date.now() - known.at > KEPT_MS) {
        const value = await get(`/v1/domains/${uuid}/idle`).catch(() => null);
        idle.set(uuid, { value, at: Date.now() });
      }
      const cell = body.querySelector(`tr[data-uuid="${uuid}"] .next`);
      if (cell) cell.textContent = nextText(idle.get(uuid).value);
    }
    busy = false;
  }

  context.on((type, data) => {
    if (type === "domain") all.set(data.uuid, data);
    else if (type === "domain-gone") all.delete(data.uuid);
    else return;
    const there = body.querySelector(`tr[data-uuid="${data.uuid}"]`);
    // One that is in use by the keyboard keeps its focus.
    if (there && type === "domain" && !there.contains(document.activeElement)) {
      const fresh = row(data);
      there.replaceWith(fresh);
      sight.observe(fresh);
    } else if (!there || type !== "domain") {
      draw();
    }
  });
  replace(context.main, h("div", { class: "bar" }, h("h1", {}, "Machines"), count, search), h("div", { class: "card flush" }, table, none));
  draw();
}

// SPDX-License-Identifier: GPL-2.0-or-later
// The plan: which snapshots schedules ask for in the next hours, and why.
import { get } from "./api.js";
import { empty, h, loading, replace } from "./dom.js";
import { ago, bytes, clock, instant } from "./format.js";

const names = { due: "due now", planned: "planned", dropped: "not taken" };

function when(item) {
  const late = item.asked && Math.abs(Date.parse(item.time) - Date.parse(item.asked)) > 60000;
  return [h("strong", { title: instant(item.time) }, item.state === "due" ? "now" : clock(item.time)),
    late ? h("div", { class: "soft small" }, `asked for ${clock(item.asked)}`) : null];
}

function row(item) {
  return h("tr", { class: "link", "data-state": item.state },
    h("td", {}, when(item)),
    h("td", {}, h("a", { class: "name", href: `#/vm/${item.uuid}` }, item.domain)),
    h("td", { "data-label": "State" }, h("span", { class: "state", "data-state": item.state === "due" ? "busy" : item.state === "planned" ? "queued" : "off" }, names[item.state] ?? item.state)),
    h("td", { class: "why small" }, item.reason, item.triggers.length ? h("span", { class: "soft" }, ` (${item.triggers.join(", ")})`) : null));
}

function domainRow(domain) {
  return h("tr", {}, h("td", {}, h("a", { class: "name", href: `#/vm/${domain.uuid}` }, domain.domain), domain.error ? h("div", { class: "small bad" }, `failed ${domain.failures} times: ${domain.error}`) : null),
    h("td", { class: "small", "data-label": "Last" }, domain.last_snapshot ? ago(domain.last_snapshot) : "never"),
    h("td", { class: "num small", "data-label": "Changed since" }, domain.changed === undefined ? "–" : bytes(domain.changed)),
    h("td", { class: "small", "data-label": "Busy from" }, domain.busy_from ? h("span", { title: domain.busy_reason }, clock(domain.busy_from)) : "–"));
}

export async function planPage(context) {
  const place = h("div"), hours = h("select", { "aria-label": "How far", onchange: draw },
    [[24, "next 24 hours"], [72, "next 3 days"], [168, "next week"]].map(([v, t]) => h("option", { value: v }, t)));
  replace(context.main, h("div", { class: "bar" }, h("h1", {}, "Plan"), hours), place);
  let known = null;

  async function draw() {
    if (!known) replace(place, loading("the plan"));
    known = await get(`/v1/plan?hours=${hours.value}`);
    if (!context.here()) return;
    const { plan, domains, unscheduled } = known, scheduled = domains.filter((d) => d.scheduled);
    replace(place, h("div", { class: "card flush" }, plan.length ? h("table", { class: "cards plan" },
      h("thead", {}, h("tr", {}, ["Time", "Machine", "State", "Snapshot because of"].map((t) => h("th", { scope: "col" }, t)))), h("tbody", {}, plan.map(row)))
      : empty("Nothing is planned", scheduled.length ? "No schedule asks for a snapshot in this time." : "A profile with a schedule, such as schedule.when=daily, makes a plan.")),
      scheduled.length ? h("div", { class: "card flush" }, h("table", { class: "cards" },
        h("thead", {}, h("tr", {}, ["With a schedule", "Last snapshot"].map((t) => h("th", { scope: "col" }, t)), h("th", { scope: "col", class: "num" }, "Changed since"), h("th", { scope: "col" }, "Busy from"))),
        h("tbody", {}, scheduled.map(domainRow)))) : null,
      unscheduled ? h("p", { class: "soft small" }, `${unscheduled} ${unscheduled === 1 ? "machine has" : "machines have"} no schedule.`) : null);
  }
  // A job that has ended, or a policy that was changed, makes another plan.
  let timer = null;
  context.leave(() => clearTimeout(timer));
  context.on((type, data) => {
    if (type !== "job" || ["queued", "running"].includes(data.state)) return;
    clearTimeout(timer);
    timer = setTimeout(() => draw().catch(() => {}), 1000);
  });
  await draw();
}

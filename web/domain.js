// SPDX-License-Identifier: GPL-2.0-or-later
// One machine: what it does and will do, what is kept of it, and what can be done with it.
import { get } from "./api.js";
import { compare, history } from "./charts.js";
import { ask, empty, failure, h, loading, replace, toast } from "./dom.js";
import { ago, bytes, clock, cores, duration, instant, number, short } from "./format.js";
import { heatPart } from "./heat.js";
import { jobRow, start } from "./jobs.js";
import { stateBadge } from "./list.js";

export async function domainPage(context, id) {
  const page = { domain: await get(`/v1/domains/${encodeURIComponent(id)}`), jobs: [] };
  if (!context.here()) return;
  const uuid = page.domain.uuid, path = `/v1/domains/${uuid}`;
  const head = h("div", { class: "bar" }), jobs = h("div", { class: "card", hidden: true });
  const usage = h("section", { class: "card wide" }), facts = h("section", { class: "card" });
  const outlook = h("section", { class: "card" }), resume = h("section", { class: "card" }), heat = h("section", { class: "card wide" }), timeline = h("section", { class: "card wide" });

  context.title(page.domain.title || page.domain.domain);
  replace(context.main, h("p", { class: "small" }, h("a", { href: "#/" }, "← Machines")), head, jobs,
    h("div", { class: "grid" }, usage, outlook, facts, resume, heat, timeline));
  drawHead(context, head, page);
  drawFacts(facts, page.domain);
  drawJobs(context, jobs, page);
  usagePart(context, usage, path);
  outlookPart(context, outlook, path, page.domain);
  resumePart(context, resume, path, page.domain.domain);
  heatPart(context, heat, path);
  snapshotsPart(context, timeline, uuid);
  get("/v1/jobs").then((all) => {
    page.jobs = all.jobs.filter((job) => job.domain === page.domain.domain).slice(0, 4);
    if (context.here()) drawJobs(context, jobs, page);
  }, () => {});

  context.on((type, data) => {
    if (type === "domain" && data.uuid === uuid) {
      const more = data.snapshots !== page.domain.snapshots || data.suspends !== page.domain.suspends || data.suspend !== page.domain.suspend || data.state !== page.domain.state;
      page.domain = data;
      drawHead(context, head, page);
      drawFacts(facts, data);
      if (more) snapshotsPart(context, timeline, uuid);
      if (more) resumePart(context, resume, path, page.domain.domain);
    } else if (type === "job" && data.domain === page.domain.domain) {
      page.jobs = [data, ...page.jobs.filter((job) => job.job !== data.job)].slice(0, 4);
      drawJobs(context, jobs, page);
      drawHead(context, head, page);
      if (data.operation === "resume" && data.state === "done") resumePart(context, resume, path, page.domain.domain);
    }
  });
}

function drawJobs(context, element, page) {
  element.hidden = page.jobs.length === 0;
  replace(element, h("h2", {}, "Lately"), page.jobs.map((job) => jobRow(context, job, false)));
}

async function begin(body) {
  try {
    await start(body);
  } catch (error) {
    toast(error.message, true);
  }
}

function drawHead(context, element, page) {
  const { domain } = page, running = ["running", "paused"].includes(domain.state);
  const busy = page.jobs.some((job) => ["queued", "running"].includes(job.state));
  const held = document.activeElement?.dataset?.action;
  const button = (name, text, enabled, call, main = false) =>
    h("button", { "data-action": name, class: main ? "primary" : null, disabled: !enabled || busy || !context.may("operate"), onclick: call }, text);
  replace(element, h("h1", {}, domain.title || domain.domain), stateBadge(domain),
    domain.suspend
      ? button("resume", "Resume", domain.state === "suspended", () => begin({ operation: "resume", domain: domain.uuid }), true)
      : button("suspend", "Suspend", running, () => begin({ operation: "suspend", domain: domain.uuid }), true),
    button("snapshot", "Snapshot", domain.defined && domain.state !== "suspended", () => snapshot(domain)));
  element.querySelector(`[data-action="${held}"]`)?.focus();
}

async function snapshot(domain) {
  const values = await ask(`Snapshot of ${domain.domain}`, [
    h("label", {}, "Name (optional) ", h("input", { name: "name", maxlength: 100, autofocus: true })),
    h("label", {}, h("input", { type: "checkbox", name: "no_memory" }), " disks only, without memory")], "Take it");
  if (!values) return;
  const body = { operation: "snapshot", domain: domain.uuid };
  if (values.name) body.name = values.name;
  if (values.no_memory) body.no_memory = true;
  await begin(body);
}

function drawFacts(element, domain) {
  const fact = (name, value) => [h("dt", {}, name), h("dd", {}, value)];
  replace(element, h("h2", {}, "Facts"), h("dl", { class: "facts" },
    fact("Name", domain.domain), fact("UUID", h("span", { class: "small" }, domain.uuid)),
    fact("Processors", String(domain.vcpus || "–")), fact("Memory", bytes(domain.memory_bytes || null)),
    fact("Now", `${cores(domain.usage.cpu_cores)}, ${bytes(domain.usage.memory_bytes)}`),
    fact("Profile", domain.profile ? h("a", { href: `#/profiles/${encodeURIComponent(domain.profile)}` }, domain.profile) : "–"),
    domain.tags.length ? fact("Tags", domain.tags.join(", ")) : null,
    fact("Snapshots", `${domain.snapshots}, and ${domain.suspends} suspends`),
    fact("Own bytes", bytes(domain.bytes_own))));
}

async function usagePart(context, element, path) {
  const metric = h("select", { "aria-label": "What", onchange: draw }, h("option", { value: "cpu" }, "cpu"));
  const hours = h("select", { "aria-label": "How long", onchange: draw }, [[6, "6 hours"], [24, "1 day"], [72, "3 days"], [168, "1 week"], [672, "4 weeks"]].map(([v, t]) => h("option", { value: v, selected: v === 24 }, t)));
  const before = h("input", { type: "checkbox", id: "before", checked: true, onchange: draw });
  const place = h("div", { class: "chart" }), note = h("p", { class: "soft small" }), judged = h("p", { class: "soft small", id: "judged", role: "status" });
  let chart = null, turn = 0;

  replace(element, h("div", { class: "bar" }, h("h2", {}, "Use and forecast"), h("label", {}, before, " and what was expected"), metric, hours), place, note, judged);
  context.leave(() => chart?.destroy());

  // What was to be expected when the time that is shown began.
  async function then(past) {
    judged.textContent = "Working out what was expected then …";
    try {
      const at = Math.floor(Date.now() / 1000 - Math.min(336, hours.value) * 3600);
      const made = await get(`${path}/forecast?metric=${encodeURIComponent(metric.value)}&hours=${Math.min(336, hours.value)}&at=${at}`);
      const result = compare(past, made);
      judged.textContent = result ? `Of what came, ${Math.round(result.inside * 100)} % was in the band that 90 % were expected in; the mean was off by ${number(result.off, past.unit)}. From what was known ${ago(made.at)}.` : "There is nothing to compare with.";
      return made;
    } catch (error) {
      judged.textContent = error.status === 404 ? "Too little was known then to expect anything." : error.message;
      return null;
    }
  }

  async function draw() {
    const query = `metric=${encodeURIComponent(metric.value)}&hours=`, mine = ++turn;
    chart?.destroy();
    chart = null;
    judged.textContent = "";
    replace(place, loading("its use"));
    try {
      const [past, forecast] = await Promise.all([get(`${path}/history?${query}${hours.value}`),
        get(`${path}/forecast?${query}${Math.min(168, hours.value)}`).catch(() => null)]);
      if (!context.here() || mine !== turn) return;
      if (metric.length === 1) metric.append(...past.metrics.filter((m) => m !== "cpu").map((m) => h("option", { value: m }, m)));
      if (past.mean.every((v) => v === null)) {
        replace(place, empty("Nothing is known of this time", "foresnapd samples machines; so does ‘foresnap sample’."));
        note.textContent = "";
        return;
      }
      const last = past.mean.findLast((v) => v !== null), old = before.checked ? await then(past) : null;
      if (!context.here() || mine !== turn) return;
      const canvas = h("canvas", { role: "img", "aria-label": `${past.metric}, last known ${number(last, past.unit)}` });
      replace(place, canvas);
      note.textContent = forecast ? `Forecast of ${ago(forecast.fitted)}. ${forecast.explanation.split("\n")[0]}` : "No forecast is kept of this yet.";
      const drawn = await history(canvas, past, forecast, old);
      if (context.here() && mine === turn) chart = drawn;
      else drawn.destroy();
    } catch (error) {
      if (mine !== turn) return;
      replace(place, error.status === 404 ? empty("Nothing is known of its use yet", "foresnapd samples machines; so does ‘foresnap sample’.") : failure(error, draw));
    }
  }
  await draw();
}

async function outlookPart(context, element, path, domain) {
  const title = h("h2", {}, "When it will be active");
  replace(element, title, loading("the outlook"));
  try {
    if (!domain.usage.sampled) throw Object.assign(new Error(), { status: 404 });
    const idle = await get(`${path}/idle`);
    if (!context.here()) return;
    const fact = (name, value) => [h("dt", {}, name), h("dd", {}, value)];
    const range = (what) => `${clock(what.likely)} (90 %: ${clock(what.quantiles[0].time)} – ${clock(what.quantiles.at(-1).time)})`;
    replace(element, title, h("dl", { class: "facts" },
      fact("Now", `${idle.state} since ${clock(idle.since)}`),
      fact("Next hour", `${Math.round(idle.active_within_60_min * 100)} % active`),
      fact("Wakes", range(idle.wake)), idle.state === "active" ? fact("Idle", range(idle.idle)) : null),
      h("p", { class: "soft small" }, idle.reason));
  } catch (error) {
    replace(element, title, error.status === 404 ? empty("Too little is known", "After some hours of samples this says when it wakes.") : failure(error));
  }
}

// How the last resume went that was a job, by this page or with --detach; null where none is known.
async function lastResume(name) {
  const { jobs } = await get("/v1/jobs"), last = jobs.find((job) => job.domain === name && job.operation === "resume" && job.state === "done");
  const job = last ? await get(`/v1/jobs/${last.job}`) : null;
  return job?.result?.running_us === undefined ? null : { ...job.result, at: job.created_us / 1000 };
}

async function resumePart(context, element, path, name) {
  const title = h("h2", {}, "Working set and last resumes");
  const fact = (what, value) => [h("dt", {}, what), h("dd", {}, value)];
  replace(element, title, loading("the working set"));
  try {
    // What a resume has shown is learned some time after it.
    const learned = get(`${path}/workingset`).catch((error) => { if (error.status === 404) return {}; throw error; });
    const [set, last] = await Promise.all([learned, lastResume(name).catch(() => null)]);
    if (!context.here()) return;
    const known = set.pages !== undefined;
    if (!known && !last && !set.history?.length) {
      replace(element, title, empty("Not resumed yet", "The first resume shows which pages it touches first."));
      return;
    }
    replace(element, title, h("dl", { class: "facts" },
      known ? [fact("Read first", `${set.pages} pages, ${bytes(set.bytes)}`), fact("Resumes", String(set.resumes)),
        fact("Right", set.hit_rate === null ? "–" : `${Math.round(set.hit_rate * 100)} % of probes`)].flat() : null,
      last ? fact("Last resume", `the guest ran after ${duration(last.running_us)}, ${last.mode}, ${last.faults} pages waited for${last.loaded_us === undefined ? "" : `; all was loaded after ${duration(last.loaded_us)}`} (${ago(last.at)})`) : null),
      (set.history ?? []).length ? h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, "Resume"), h("th", { class: "num" }, "Sent ahead"), h("th", { class: "num" }, "Waited for"))),
        h("tbody", {}, set.history.slice(0, 5).map((r) => h("tr", {}, h("td", { class: "small" }, instant(r.time)), h("td", { class: "num" }, String(r.list_pages)), h("td", { class: "num" }, String(r.faults)))))) : null);
  } catch (error) {
    replace(element, title, failure(error));
  }
}

async function snapshotsPart(context, element, uuid) {
  const title = h("h2", {}, "Snapshots");
  try {
    const { snapshots } = await get(`/v1/snapshots?domain=${uuid}`);
    if (!context.here()) return;
    replace(element, title, snapshots.length ? h("ol", { class: "timeline" }, snapshots.slice(0, 200).map((s) =>
      h("li", { "data-kind": s.kind },
        h("span", { class: "what" }, h("strong", {}, s.name || s.kind), h("span", { class: "soft small" }, ` ${instant(s.created)} · ${short(s.snapshot)} · ${s.state}`)),
        h("span", { class: "small num", title: "what it added to the repository" }, `+ ${bytes(s.bytes_stored)}`),
        s.kind === "snapshot" && context.may("operate") ? h("button", { class: "small", onclick: () => restore(s) }, "Restore as …") : null)))
      : empty("No snapshots yet", "The buttons above make the first one."));
  } catch (error) {
    replace(element, title, failure(error));
  }
}

async function restore(snapshot) {
  const values = await ask("Restore as a new machine", h("label", {}, "Its name ",
    h("input", { name: "as", required: true, maxlength: 100, autofocus: true, value: `${snapshot.domain}-restored` })), "Restore");
  if (values) await begin({ operation: "restore", snapshot: snapshot.snapshot, as: values.as });
}

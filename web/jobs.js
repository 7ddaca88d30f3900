// SPDX-License-Identifier: GPL-2.0-or-later
// Jobs: what is under way and what has ended, live.
import { del, get, post } from "./api.js";
import { empty, h, replace, toast } from "./dom.js";
import { ago, bytes } from "./format.js";

// What this page has started, to say how it ended wherever one is by then.
const mine = new Set();
const ended = (job) => !["queued", "running"].includes(job.state);

export async function start(body) {
  const job = await post("/v1/jobs", body);
  mine.add(job.job);
  return job;
}

export function seeJob(job) {
  if (!mine.has(job.job) || !ended(job)) return;
  mine.delete(job.job);
  const what = `${job.operation} of ${job.domain ?? "the repository"}`;
  if (job.state === "done") {
    toast(`${what}: done`);
  } else {
    get(`/v1/jobs/${job.job}`).then((whole) => toast(`${what}: ${whole.complaint ?? whole.result?.error?.message ?? job.state}`, true), () => toast(`${what}: ${job.state}`, true));
  }
}

function progressText(progress) {
  if (!progress) return "";
  const show = progress.unit === "bytes" ? bytes : String;
  return `${progress.phase} ${progress.total ? `${show(progress.done)} of ${show(progress.total)}` : show(progress.done)}`;
}

export function jobRow(context, job, withDomain = true) {
  const busy = !ended(job), progress = job.progress;
  return h("div", { class: "job", "data-job": job.job },
    h("div", { class: "row" },
      h("span", {}, h("strong", {}, job.operation), withDomain && job.domain ? ` ${job.domain}` : "", h("span", { class: "soft small" }, ` by ${job.owner ?? "?"}, ${ago(job.created_us / 1000)}`)),
      h("span", { class: "state", "data-state": busy && job.state !== "queued" ? "busy" : job.state }, job.state),
      context.may("operate") && h("button", { class: "small", onclick: () => stop(job) }, busy ? "Cancel" : "Forget")),
    busy && h("progress", progress?.total ? { value: progress.done, max: progress.total, "aria-label": "Progress" } : { "aria-label": "Progress" }),
    busy && progress && h("div", { class: "soft small" }, progressText(progress)));
}

async function stop(job) {
  try {
    await del(`/v1/jobs/${job.job}`);
    if (ended(job)) document.querySelector(`[data-job="${job.job}"]`)?.remove();
  } catch (error) {
    toast(error.message, true);
  }
}

export async function jobsPage(context) {
  const { jobs } = await get("/v1/jobs");
  if (!context.here()) return;
  const list = h("div", { class: "card" });

  const draw = () => replace(list, jobs.length ? jobs.slice(0, 200).map((job) => jobRow(context, job)) : empty("Nothing was done yet", "What is started here, by the schedule or with --detach appears here."));
  context.on((type, job) => {
    if (type !== "job") return;
    const at = jobs.findIndex((other) => other.job === job.job);
    if (at >= 0) jobs[at] = job;
    else jobs.unshift(job);
    draw();
  });
  replace(context.main, h("h1", {}, "Jobs"), list);
  draw();
}

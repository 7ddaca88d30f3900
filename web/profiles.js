// SPDX-License-Identifier: GPL-2.0-or-later
// Profiles: what snapshots capture, edited as text with what is wrong beside it, and shown at the
// example of a machine before it is saved.
import { ApiError, del, get, post, put } from "./api.js";
import { ask, empty, failure, h, loading, replace, toast } from "./dom.js";
import { bytes } from "./format.js";

export async function profilesPage(context, name) {
  const { profiles } = await get("/v1/profiles");
  if (!context.here()) return;
  const editor = h("div");
  const list = h("div", { class: "card flush" }, h("table", {},
    h("thead", {}, h("tr", {}, ["Profile", "From", "What it is for"].map((t) => h("th", { scope: "col" }, t)))),
    h("tbody", {}, profiles.map((p) => h("tr", { class: "link" },
      h("td", {}, h("a", { class: "name", href: `#/profiles/${encodeURIComponent(p.name)}`, "aria-current": p.name === name ? "true" : null }, p.name)),
      h("td", { class: "small" }, p.source, p.sound ? "" : h("span", { class: "state", "data-state": "failed" }, " not sound")),
      h("td", { class: "small soft" }, p.description ?? ""))))));
  replace(context.main, h("div", { class: "bar" }, h("h1", {}, "Profiles"),
    context.may("admin") ? h("button", { onclick: () => create(profiles) }, "New profile") : null), list, editor);
  if (name) await edit(context, editor, name);
}

async function create(profiles) {
  const values = await ask("New profile", [
    h("label", {}, "Name ", h("input", { name: "name", required: true, pattern: "[a-z0-9_][a-z0-9_.\\-]*", maxlength: 60, autofocus: true })),
    h("label", {}, "Like ", h("select", { name: "from" }, profiles.map((p) => h("option", {}, p.name))))], "Make it");
  if (!values) return;
  try {
    await put(`/v1/profiles/${encodeURIComponent(values.name)}`, { text: `[profile]\ninherit=${values.from}\n` }, { "If-None-Match": "*" });
    location.hash = `#/profiles/${encodeURIComponent(values.name)}`;
  } catch (error) {
    toast(error.status === 412 ? "There is one of that name already." : error.message, true);
  }
}

async function edit(context, element, name) {
  replace(element, loading("the profile"));
  const [profile, { domains }, { keys }] = await Promise.all([get(`/v1/profiles/${encodeURIComponent(name)}`), get("/v1/domains"), get("/v1/profile-keys")]);
  if (!context.here()) return;
  const mine = profile.own && context.may("admin");
  const path = `/v1/profiles/${encodeURIComponent(name)}`;
  const text = h("textarea", { id: "text", spellcheck: "false", readonly: !mine, "aria-describedby": "problems", oninput: later });
  const problems = h("ul", { class: "problems", id: "problems", "aria-live": "polite" });
  const save = h("button", { class: "primary", disabled: true, onclick: store }, "Save");
  const vm = h("select", { "aria-label": "Machine", onchange: preview }, h("option", { value: "" }, "on a machine …"), domains.filter((d) => d.defined).map((d) => h("option", { value: d.uuid }, d.domain)));
  const plan = h("div", {}, empty("Preview", "Choose a machine to see what a snapshot of it would capture."));
  let etag = profile.etag, timer = null, turn = 0;

  text.value = profile.text;
  context.leave(() => clearTimeout(timer));
  replace(element, h("div", { class: "editor" },
    h("section", { class: "card" }, h("div", { class: "bar" }, h("h2", {}, h("label", { for: "text" }, name)),
      mine ? save : h("span", { class: "soft small" }, profile.own ? "you may look" : `${profile.source}: make one that inherits it`),
      mine ? h("button", { class: "danger", onclick: remove }, "Delete") : null), problems, text, help(keys)),
    h("section", { class: "card" }, h("div", { class: "bar" }, h("h2", {}, "What it would do"), vm), plan)));
  show(profile.problems);

  function show(list) {
    const lines = text.value.split("\n");
    replace(problems, list.map((p) => h("li", {},
      p.line ? h("button", { title: "Go there", onclick: () => go(lines, p.line) }, `line ${p.line}`) : null, p.message)));
    text.setAttribute("aria-invalid", String(list.length > 0));
    save.disabled = list.length > 0 || text.value === profile.text;
  }

  function go(lines, line) {
    const at = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    text.focus();
    text.setSelectionRange(at, at + lines[line - 1].length);
  }

  function later() {
    save.disabled = true;
    clearTimeout(timer);
    timer = setTimeout(check, 300);
  }

  async function check() {
    const now = ++turn;
    try {
      const result = await post(`${path}/check`, { text: text.value });
      if (now !== turn || !context.here()) return;
      show(result.problems);
      if (result.sound && vm.value) await preview();
    } catch (error) {
      toast(error.message, true);
    }
  }

  async function store() {
    try {
      const saved = await put(path, { text: text.value }, { "If-Match": `"${etag}"` });
      etag = saved.etag;
      profile.text = text.value;
      save.disabled = true;
      toast(`${name} is saved`);
    } catch (error) {
      if (error instanceof ApiError && error.document?.problems) show(error.document.problems);
      else if (error.status === 412) toast("Somebody else has changed it meanwhile. Copy your text, and load this page again.", true);
      else toast(error.message, true);
    }
  }

  async function remove() {
    if (!await ask(`Delete ${name}?`, h("p", {}, "Machines that use it get the default."), "Delete", true)) return;
    try {
      await del(path, { "If-Match": `"${etag}"` });
      location.hash = "#/profiles";
    } catch (error) {
      toast(error.message, true);
    }
  }

  async function preview() {
    if (!vm.value) return;
    const changed = text.value !== profile.text;
    replace(plan, loading("the plan"));
    try {
      const result = await post(`/v1/domains/${vm.value}/preview`, { profile: name, ...(changed ? { text: text.value } : {}) });
      if (context.here()) replace(plan, planTable(result));
    } catch (error) {
      replace(plan, failure(error));
    }
  }
}

function planTable(plan) {
  const rows = (plan.resources ?? []).map((r) => h("tr", {},
    h("td", {}, r.target ? `${r.kind} ${r.target}` : r.kind), h("td", {}, r.mode ?? "–"), h("td", { class: "small soft" }, r.reason ?? "")));
  const read = (plan.disks ?? []).reduce((sum, d) => sum + (d.estimate ?? 0), 0);
  return h("div", {}, h("table", {}, h("thead", {}, h("tr", {}, ["What", "How", "Why"].map((t) => h("th", { scope: "col" }, t)))), h("tbody", {}, rows)),
    plan.disks?.length ? h("p", { class: "soft small" }, `About ${bytes(read)} of disks would be read.`) : null);
}

function help(keys) {
  return h("details", {}, h("summary", { class: "small" }, "All keys"), h("dl", { class: "facts small" },
    keys.map((k) => [h("dt", {}, h("code", {}, k.key)), h("dd", {}, k.doc, k.fallback ? h("span", { class: "soft" }, ` (${k.fallback})`) : "")])));
}

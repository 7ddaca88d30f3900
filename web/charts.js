// SPDX-License-Identifier: GPL-2.0-or-later
// Sparklines by hand, since a list has hundreds of them; charts by Chart.js, which is only loaded
// by pages that have one.
import { svg } from "./dom.js";
import { number } from "./format.js";

// The last day, and (dashed) what is expected of the next hours.
export function sparkline(usage, forecast, vcpus) {
  const past = usage.cpu, coming = forecast ? forecast.mean.slice(0, 12) : [];
  const all = [...past, ...coming].filter((v) => v !== null);
  const top = Math.max(vcpus || 0.1, ...all), width = past.length + coming.length * 2 || 1;
  const x = (i) => (i / width) * 100, y = (v) => 31 - (v / top) * 29;
  let line = "", area = "", begun = null;
  past.forEach((v, i) => {
    if (v === null) {
      if (begun !== null) area += `L${x(i - 1)} 32Z`;
      begun = null;
      return;
    }
    line += `${begun === null ? "M" : "L"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
    area += begun === null ? `M${x(i).toFixed(1)} 32L${x(i).toFixed(1)} ${y(v).toFixed(1)}` : `L${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
    begun ??= i;
  });
  if (begun !== null) area += `L${x(past.length - 1).toFixed(1)} 32Z`;
  const dashed = coming.map((v, i) => (v === null ? "" : `${i && coming[i - 1] !== null ? "L" : "M"}${x(past.length + i * 2).toFixed(1)} ${y(v).toFixed(1)}`)).join("");
  const label = all.length ? `Processors in use, last 24 hours: now ${number(usage.cpu_cores, "cores")}` : "Nothing is known of its use";
  const image = svg("svg", { class: "spark", viewBox: "0 0 100 32", preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("path", { class: "area", d: area }), svg("path", { class: "line", d: line }), svg("path", { class: "coming", d: dashed }));
  if (coming.length) image.append(svg("line", { class: "now", x1: x(past.length), x2: x(past.length), y1: 0, y2: 32 }));
  return image;
}

let library = null;

function load() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/chart.js";
    script.onload = () => resolve(window.Chart);
    script.onerror = () => reject(new Error("the charts cannot be loaded"));
    document.head.append(script);
  });
  return library;
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function points(document, values) {
  const start = Date.parse(document.start), step = document.step_us / 1000;
  return values.map((y, i) => ({ x: start + i * step, y }));
}

const time = (ms) => new Date(ms).toLocaleString(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });

// What was used (mean, and the band up to the 95th percentile) and what is expected (mean, and
// the bands of 50 % and 90 %); with @then what was expected of the time that is past. Resolves to
// the chart, to be destroyed by who has it.
export async function history(canvas, past, forecast, then) {
  const Chart = await load();
  const accent = color("--accent"), soft = color("--soft"), band = color("--band"), grid = color("--line");
  const set = (label, data, more) => ({ label, data, pointRadius: 0, borderWidth: 1.8, spanGaps: (past.step_us / 1000) * 3, ...more });
  const edge = { borderWidth: 0, backgroundColor: band };
  const datasets = [
    set("95 % of the time below", points(past, past.p95), { ...edge, fill: "+1" }),
    set("used", points(past, past.mean), { borderColor: accent }),
  ];
  if (forecast) {
    datasets.push(
      set("expected", points(forecast, forecast.mean), { borderColor: soft, borderDash: [5, 4] }),
      set("5 %", points(forecast, forecast.q05), { ...edge, fill: false }),
      set("90 % of what is expected", points(forecast, forecast.q95), { ...edge, fill: "-1" }),
      set("25 %", points(forecast, forecast.q25), { ...edge, fill: false }),
      set("50 % of what is expected", points(forecast, forecast.q75), { ...edge, fill: "-1" }));
  }
  if (then) {
    const old = color("--sleep"), shade = { borderWidth: 0, backgroundColor: color("--then") };
    datasets.push(
      set("was expected", points(then, then.mean), { borderColor: old, borderDash: [2, 3] }),
      set("5 % then", points(then, then.q05), { ...shade, fill: false }),
      set("90 % of what was expected", points(then, then.q95), { ...shade, fill: "-1" }));
  }
  const unit = past.unit, end = (forecast ?? past).mean.length * (forecast ?? past).step_us / 1000 + Date.parse((forecast ?? past).start);
  return new Chart(canvas, {
    type: "line",
    data: { datasets },
    options: {
      animation: false, responsive: true, maintainAspectRatio: false, parsing: false, normalized: true,
      interaction: { mode: "nearest", axis: "x", intersect: false },
      scales: {
        x: { type: "linear", min: Date.parse(past.start), max: end, grid: { color: grid }, ticks: { color: soft, maxTicksLimit: 7, maxRotation: 0, callback: time } },
        y: { beginAtZero: true, grid: { color: grid }, ticks: { color: soft, maxTicksLimit: 6, callback: (v) => number(v, unit) } },
      },
      plugins: {
        legend: { labels: { color: soft, boxWidth: 14, filter: (item) => !/^\d+ %( then)?$/.test(item.text) } },
        tooltip: { callbacks: { title: (items) => time(items[0].parsed.x), label: (item) => `${item.dataset.label}: ${number(item.parsed.y, unit)}` } },
      },
    },
  });
}

export async function bars(canvas, labels, values, label, format) {
  const Chart = await load();
  const soft = color("--soft");
  return new Chart(canvas, {
    type: "bar",
    data: { labels, datasets: [{ label, data: values, backgroundColor: color("--accent"), maxBarThickness: 36, borderRadius: 3 }] },
    options: {
      animation: false, responsive: true, maintainAspectRatio: false,
      scales: {
        x: { grid: { display: false }, ticks: { color: soft } },
        y: { beginAtZero: true, grid: { color: color("--line") }, ticks: { color: soft, callback: format, maxTicksLimit: 6 } },
      },
      plugins: { legend: { display: false }, tooltip: { callbacks: { label: (item) => format(item.parsed.y) } } },
    },
  });
}

// How often what came was where it was expected in nine of ten cases, and how far off the mean was;
// null where nothing can be compared.
export function compare(past, then) {
  const came = then.of === "p95" ? past.p95 : past.mean, start = Date.parse(past.start), step = past.step_us / 1000;
  const first = Date.parse(then.start), length = then.step_us / 1000;
  let n = 0, inside = 0, off = 0;
  came.forEach((value, i) => {
    const from = Math.floor((start + i * step - first) / length), to = Math.floor((start + (i + 1) * step - first) / length);
    if (value === null || from < 0 || to > then.mean.length || to <= from) return;
    const mean = (array) => array.slice(from, to).reduce((sum, v) => sum + v, 0) / (to - from);
    n++;
    inside += value >= mean(then.q05) && value <= mean(then.q95);
    off += Math.abs(value - mean(then.mean));
  });
  return n > 0 ? { n, inside: inside / n, off: off / n } : null;
}

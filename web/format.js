// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers and times for people.

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let n = Number(value), i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return `${i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[i]}`;
}

export function cores(value) {
  if (value === null || value === undefined) return "–";
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} cores`;
}

export function number(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "B") return bytes(value);
  if (unit === "B/s") return `${bytes(value)}/s`;
  if (unit === "cores") return cores(value);
  return `${Number(value.toPrecision(3))}${unit ? ` ${unit}` : ""}`;
}

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });

export function ago(time) {
  if (!time) return "never";
  const seconds = (new Date(time) - Date.now()) / 1000;
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return relative.format(Math.round(seconds), "second");
}

export function instant(time) {
  return time ? new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : "–";
}

export function clock(time) {
  const date = new Date(time), today = new Date().toDateString() === date.toDateString();
  return date.toLocaleString(undefined, today ? { timeStyle: "short" } : { weekday: "short", hour: "2-digit", minute: "2-digit" });
}

export function duration(us) {
  if (us === null || us === undefined) return "–";
  if (us < 1e6) return `${Math.round(us / 1000)} ms`;
  if (us < 120e6) return `${(us / 1e6).toFixed(1)} s`;
  return us < 7200e6 ? `${Math.round(us / 60e6)} min` : `${(us / 3600e6).toFixed(1)} h`;
}

export const short = (id) => (id ? id.slice(0, 8) : "–");

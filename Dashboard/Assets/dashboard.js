// Live updates and comforts. Every page works without this file.
"use strict";

const root = document.documentElement;
const refreshSeconds = Number(document.body.dataset.refresh || 0);

/** Writes the moments of the page in the visitor's own time zone. */
function localizeTimes(scope) {
  for (const element of scope.querySelectorAll("time[data-absolute]")) {
    const moment = new Date(element.dateTime);
    element.textContent = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    element.title = moment.toISOString();
  }
}

/** True while the visitor reads or fills in something there that a replacement would take away. */
function isInUse(region) {
  return region.contains(document.activeElement) && document.activeElement.matches("input, button, summary")
    || region.querySelector("details.confirm[open]") !== null;
}

function keepOpenDetails(from, to) {
  const open = new Map([...from.querySelectorAll("details[id]")].map(item => [item.id, item.open]));
  for (const item of to.querySelectorAll("details[id]")) {
    if (open.has(item.id)) {
      item.open = open.get(item.id);
    }
  }
}

function keepScroll(from, to) {
  const before = new Map([...from.querySelectorAll("[data-scroll]")].map(item => [item.dataset.scroll, item]));
  return () => {
    for (const item of to.querySelectorAll("[data-scroll]")) {
      const old = before.get(item.dataset.scroll);
      const atEnd = !old || old.top + old.seen >= old.height - 8;
      item.scrollTop = atEnd ? item.scrollHeight : old.top;
    }
  };
}

function measureScroll(scope) {
  for (const item of scope.querySelectorAll("[data-scroll]")) {
    item.top = item.scrollTop;
    item.seen = item.clientHeight;
    item.height = item.scrollHeight;
  }
}

/** Takes the regions marked data-live from a newer copy of this page. */
function takeRegions(copy) {
  for (const region of document.querySelectorAll("[data-live]")) {
    const newer = copy.getElementById(region.id);
    if (!newer || isInUse(region)) {
      continue;
    }

    localizeTimes(newer);
    measureScroll(region);
    const restoreScroll = keepScroll(region, newer);
    keepOpenDetails(region, newer);
    if (region.innerHTML !== newer.innerHTML) {
      region.replaceWith(newer);
      watchCharts(newer);
      restoreScroll();
    }
  }

  document.title = copy.title;
}

function showStale(isStale) {
  const notice = document.getElementById("stale");
  if (notice) {
    notice.hidden = !isStale;
  }
}

async function refresh() {
  if (document.hidden) {
    return refreshSeconds;
  }

  try {
    const response = await fetch(location.href, { headers: { "X-Electra-Refresh": "1" }, redirect: "error" });
    if (!response.ok) {
      throw new Error(`status ${response.status}`);
    }

    const copy = new DOMParser().parseFromString(await response.text(), "text/html");
    takeRegions(copy);
    showStale(false);
    return Number(copy.body.dataset.refresh || 0);
  } catch {
    showStale(true);
    return Math.max(refreshSeconds, 5);
  }
}

async function keepFresh(seconds) {
  while (seconds > 0) {
    await new Promise(resolve => setTimeout(resolve, seconds * 1000));
    seconds = await refresh();
  }
}

/** Shows the values under the pointer or finger in the legend of a chart. */
function watchCharts(scope) {
  for (const svg of scope.querySelectorAll("svg[data-curves]")) {
    const curves = JSON.parse(svg.dataset.curves);
    const cursor = svg.querySelector(".cursor");
    const legend = [...svg.parentElement.querySelectorAll(".legend li")];
    const stepText = svg.parentElement.querySelector(".at-step");
    const [left, right] = [Number(svg.dataset.left), Number(svg.dataset.right)];
    const [first, last] = [Number(svg.dataset.first), Number(svg.dataset.last)];

    const show = step => {
      curves.forEach((points, index) => {
        const nearest = step === null ? points.at(-1)
          : points.reduce((best, point) => Math.abs(point[0] - step) < Math.abs(best[0] - step) ? point : best, points[0]);
        if (nearest) {
          legend[index].querySelector("b").textContent = nearest[2];
        }
      });
      stepText.textContent = step === null ? "" : `at step ${Math.round(step).toLocaleString("en")}`;
    };

    svg.addEventListener("pointermove", event => {
      const box = svg.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      const share = Math.min(1, Math.max(0, (x - left) / (right - left)));
      cursor.setAttribute("visibility", "visible");
      cursor.setAttribute("x1", left + share * (right - left));
      cursor.setAttribute("x2", left + share * (right - left));
      show(first + share * (last - first));
    });
    svg.addEventListener("pointerleave", () => {
      cursor.setAttribute("visibility", "hidden");
      show(null);
    });
  }
}

root.classList.add("has-script");
localizeTimes(document);
watchCharts(document);
for (const item of document.querySelectorAll("[data-scroll]")) {
  item.scrollTop = item.scrollHeight;
}

keepFresh(refreshSeconds);

"use strict";
(() => {
const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const stored = (id) => { const place = find(`#${id}`); return place && JSON.parse(place.textContent); };
const make = (tag, values = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), values);
  element.append(...children);
  return element;
};
const save = (name, type, text) => {
  const address = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
};

/* One candidate is highlighted in every chart, in the table, and on the left of the pictures. */
const listeners = [];
const pick = find("#pick");
const choose = (key) => {
  document.body.classList.add("picked");
  all(".chosen").forEach((each) => each.classList.remove("chosen"));
  all(`[data-row="${key}"]`).forEach((each) => {
    each.classList.add("chosen");
    if (each.closest("svg") && each.nextElementSibling && each.dataset.raised === undefined) each.dataset.raised = "";
  });
  all("#candidates [data-row] button").forEach((each) => each.setAttribute("aria-pressed", each.closest("tr").dataset.row === key));
  if (pick) pick.value = key;
  listeners.forEach((tell) => tell(key));
};

/* Table: sorted by a click on its head, filtered by words, domain and reduction. */
const table = find("#candidates");
if (table) {
  const body = find("tbody", table);
  const number = (text) => { const found = text.replace("−", "-").match(/^[+-]?\d[\d.]*/); return found ? parseFloat(found[0]) : null; };
  const compare = (one, other, down) => {
    const [a, b] = [number(one), number(other)];
    if (a === null && b === null) return (one === "—") - (other === "—") || down * one.localeCompare(other, "en");
    if (a === null || b === null) return a === null ? 1 : -1;
    return down * (a - b);
  };
  all("thead th", table).forEach((head, place) => {
    const button = make("button", { type: "button" }, head.textContent);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "descending" ? 1 : head.getAttribute("aria-sort") === "ascending" ? -1 : head.classList.contains("n") && place ? -1 : 1;
      all("thead th", table).forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down > 0 ? "ascending" : "descending");
      const rows = all("tr", body).map((row) => [row.cells[place].textContent, row]);
      rows.sort((one, other) => compare(one[0], other[0], down));
      body.append(...rows.map((each) => each[1]));
    });
  });
  all("tr[data-row]", body).forEach((row) => {
    const head = find("th", row);
    const button = make("button", { type: "button" }, head.textContent);
    head.replaceChildren(button);
    pick.append(make("option", { value: row.dataset.row }, row.dataset.candidate));
    row.addEventListener("click", () => choose(row.dataset.row));
  });
  pick.addEventListener("change", () => choose(pick.value));
  find(".pick").hidden = false;

  const [search, domain, factor, count] = ["#search", "#domain", "#factor", "#count"].map((each) => find(each));
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    all("tr", body).forEach((row) => {
      const text = row.textContent.toLowerCase();
      const fits = words.every((word) => text.includes(word))
        && (!domain.value || row.dataset.domain === domain.value)
        && (!factor.value || row.dataset.factor === factor.value);
      row.hidden = !fits;
      shown += fits;
      if (row.dataset.row) all(`svg [data-row="${row.dataset.row}"]`).forEach((mark) => mark.classList.toggle("hidden-row", !fits));
    });
    count.textContent = `${shown} of ${body.rows.length} rows`;
  };
  [search, domain, factor].forEach((each) => each.addEventListener("input", filter));
  find("#filters").hidden = false;
  filter();
}

/* Charts: what a mark says is shown beside the pointer; a click chooses; each can be saved. */
const tip = find("#tip");
all(".chart svg [data-row]").forEach((mark) => {
  const said = find("[aria-label]", mark);
  mark.addEventListener("pointermove", (event) => {
    tip.textContent = said ? said.getAttribute("aria-label") : "";
    tip.hidden = !tip.textContent;
    tip.style.left = `${Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
  });
  mark.addEventListener("pointerleave", () => { tip.hidden = true; });
  if (find(`#candidates [data-row="${mark.dataset.row}"]`)) mark.addEventListener("click", () => choose(mark.dataset.row));
});
addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
all(".save").forEach((button) => button.addEventListener("click", () => {
  const figure = button.closest("figure");
  const copy = find("svg", figure).cloneNode(true);
  const colours = getComputedStyle(document.documentElement);
  const text = new XMLSerializer().serializeToString(copy)
    .replace(/var\((--[a-z]+)\)/g, (whole, name) => colours.getPropertyValue(name).trim());
  save(`${figure.id}.svg`, "image/svg+xml", text);
}));
const download = find("#download");
if (download) download.addEventListener("click", () => save(download.dataset.name, "application/json", JSON.stringify(stored("result"), null, 1)));

/* Pictures: a wipe between two of them, and all of them on one crop. */
const pictures = stored("pictures");
if (pictures && pictures.images && pictures.images.length) {
  const [viewer, which, left, right, zoom, wipe, wiped, crops] = ["#viewer", "#which", "#left", "#right", "#zoom", "#wipe", "#wiped", "#crops"].map((each) => find(each));
  const names = Object.keys(pictures.made);
  const true_image = "true image";
  let image = 0, centre = [0.5, 0.5], drawn = 0;
  pictures.images.forEach((each, place) => {
    const input = make("input", { type: "radio", name: "which", value: place, checked: !place });
    input.addEventListener("change", () => { image = place; draw(); });
    which.append(make("label", { title: `${each.id}: ${each.why}` }, input, make("img", { src: each.hr, alt: `${each.id}: ${each.why}` })));
  });
  const own = names.filter((name) => pictures.made[name].key);
  [left, right].forEach((select) => {
    [...names, true_image].forEach((name) => select.append(make("option", {}, name)));
    select.addEventListener("change", () => draw());
  });
  left.value = own[0] || true_image;
  right.value = names.includes("bicubic") ? "bicubic" : own[1] || true_image;
  listeners.push((key) => {
    const name = own.find((each) => pictures.made[each].key === key);
    if (name) { left.value = name; draw(); }
  });
  const loaded = new Map();
  const load = async (source) => {
    if (!loaded.has(source)) {
      const picture = make("img", { src: source });
      loaded.set(source, picture.decode().then(() => picture));
    }
    return loaded.get(source);
  };
  const source = (name) => name === true_image ? pictures.images[image].hr : pictures.made[name].images[image];
  const label = (name) => name === true_image ? name : `${name}, ${pictures.made[name].psnr[image].toFixed(2)} dB`;
  const pixels = (picture) => {
    const canvas = make("canvas", { width: picture.naturalWidth, height: picture.naturalHeight });
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  };
  const error = (made, hr) => {
    const [ours, theirs] = [pixels(made), pixels(hr)];
    for (let at = 0; at < ours.data.length; at += 4) {
      const off = Math.max(-1, Math.min(1, (ours.data[at] - theirs.data[at]) / 25.5));
      const far = Math.abs(off), to = off > 0 ? [214, 120, 10] : [20, 105, 200];
      for (let channel = 0; channel < 3; channel += 1) ours.data[at + channel] = 250 + far * (to[channel] - 250);
    }
    const canvas = make("canvas", { width: ours.width, height: ours.height });
    canvas.getContext("2d").putImageData(ours, 0, 0);
    return canvas;
  };
  const draw = async () => {
    const turn = (drawn += 1);
    const { id, why, hr, lr } = pictures.images[image];
    const [truth, one, other, reduced] = await Promise.all([hr, source(left.value), source(right.value), ...(lr ? [lr] : [])].map(load));
    if (turn !== drawn) return;
    const [width, height] = [truth.naturalWidth, truth.naturalHeight];
    const side = 1 / zoom.value;
    const corner = centre.map((at) => Math.max(0, Math.min(1 - side, at - side / 2)));
    const factor = Math.max(1, Math.round(512 / width));
    wiped.width = width * factor;
    wiped.height = height * factor;
    const context = wiped.getContext("2d");
    context.imageSmoothingEnabled = false;
    const split = (wiped.width * wipe.value) / 100;
    context.drawImage(other, 0, 0, wiped.width, wiped.height);
    context.save();
    context.beginPath();
    context.rect(0, 0, split, wiped.height);
    context.clip();
    context.drawImage(one, 0, 0, wiped.width, wiped.height);
    context.restore();
    context.lineWidth = 2;
    context.strokeStyle = "#f0a030";
    context.strokeRect(split, -2, 0, wiped.height + 4);
    context.strokeRect(corner[0] * wiped.width, corner[1] * wiped.height, side * wiped.width, side * wiped.height);
    wiped.setAttribute("aria-label", `${left.value} on the left of the line, ${right.value} on its right, image ${id}`);
    find("#wiped-text").textContent = `${id}: ${why}. ${left.value} | ${right.value}`;
    const shown = [
      [truth, true_image], [one, label(left.value)], [other, label(right.value)],
      ...(reduced ? [[reduced, "low resolution"]] : []), [error(one, truth), `error of ${left.value}`], [error(other, truth), `error of ${right.value}`],
    ];
    crops.replaceChildren(...shown.map(([picture, text]) => {
      const [w, h] = [picture.naturalWidth || picture.width, picture.naturalHeight || picture.height];
      const canvas = make("canvas", { width: 256, height: Math.round(256 * height / width) });
      const place = canvas.getContext("2d");
      place.imageSmoothingEnabled = false;
      place.drawImage(picture, corner[0] * w, corner[1] * h, side * w, side * h, 0, 0, canvas.width, canvas.height);
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", text);
      return make("figure", {}, canvas, make("figcaption", {}, text));
    }));
  };
  const point = (event) => {
    const box = wiped.getBoundingClientRect();
    centre = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    draw();
  };
  wiped.addEventListener("pointerdown", point);
  wiped.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") point(event); });
  wiped.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    centre = centre.map((at, axis) => Math.max(0, Math.min(1, at + 0.03 * step[axis])));
    draw();
  });
  [zoom, wipe].forEach((each) => each.addEventListener("input", () => draw()));
  viewer.hidden = false;
  draw();
}

const first = find("#candidates tr[data-row]");
if (first) choose(first.dataset.row);
})();
